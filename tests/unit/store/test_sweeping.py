from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from pinner.errors import StoreError
from pinner.oci.digest import Digest
from pinner.store import fs
from support import storing

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.store.layout import Store

NOW = 1_800_000_000.0
DAY = 86_400.0
DATA = storing.noise(9, 2_000_000)
PUT = "put-0123456789abcdef"


def leave(store: Store, data: bytes, *, age: float) -> Path:
    """A partial whose process is gone, last written `age` seconds ago."""
    with store.begin(Digest.of(data), len(data)) as ingest:
        ingest.write(0, data[:1_500_000])
    path = store.root / "ingest" / f"sha256-{Digest.of(data).hex}"
    os.utime(path, (NOW - age, NOW - age))
    return path


def sweep(store: Store) -> int:
    return store.sweep(now=NOW, older_than=7 * DAY)


def test_nothing_to_sweep(store: Store) -> None:
    assert sweep(store) == 0
    assert not (store.root / "ingest").exists()


@pytest.mark.parametrize(("age", "gone"), [(8 * DAY, 1), (7 * DAY + 1, 1), (6 * DAY, 0), (-DAY, 0)])
def test_T13_old_partials_go_and_young_ones_stay(store: Store, age: float, gone: int) -> None:
    path = leave(store, DATA, age=age)
    assert sweep(store) == gone
    assert path.exists() is not bool(gone)
    assert path.with_name(f"{path.name}.extents").exists() is not bool(gone)


def test_T14_a_partial_that_another_process_holds_stays(store: Store) -> None:
    process = storing.start("hold", store.root, 7)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    (path,) = (p for p in (store.root / "ingest").iterdir() if p.suffix != ".extents")
    os.utime(path, (0, 0))
    assert sweep(store) == 0
    assert path.exists()
    process.kill()
    process.communicate()
    assert sweep(store) == 1
    assert not list((store.root / "ingest").iterdir())


@pytest.mark.parametrize("age", [8 * DAY, 0])
def test_T01_a_journal_whose_partial_was_published_goes(store: Store, age: float) -> None:
    """Nobody comes back for it: its blob is there."""
    path = leave(store, DATA, age=age)
    journal = path.with_name(f"{path.name}.extents")
    path.unlink()
    os.utime(journal, (NOW - age, NOW - age))
    assert sweep(store) == 1
    assert not journal.exists()


def test_a_journal_that_came_while_names_were_listed_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its partial came before it, and was passed over."""
    path = leave(store, DATA, age=0)
    journal = path.with_name(f"{path.name}.extents")
    os.utime(journal, (NOW, NOW))
    monkeypatch.setattr(fs.Folder, "names", lambda _folder: [journal.name])
    assert sweep(store) == 0
    assert journal.exists()


def test_a_killed_put_is_swept(store: Store) -> None:
    leave(store, DATA, age=0)
    path = store.root / "ingest" / PUT
    path.touch()
    os.utime(path, (0, 0))
    assert sweep(store) == 1
    assert not path.exists()


@pytest.mark.parametrize("name", ["notes.txt", f"{PUT}.bak", "sha256-../x".replace("/", "_")])
def test_what_is_not_ours_stays(store: Store, name: str) -> None:
    leave(store, DATA, age=0)
    path = store.root / "ingest" / name
    path.touch()
    os.utime(path, (0, 0))
    assert sweep(store) == 0
    assert path.exists()


def test_containerds_ingest_folders_stay(store: Store) -> None:
    leave(store, DATA, age=0)
    path = store.root / "ingest" / ("sha256-" + "0" * 64)
    path.mkdir()
    os.utime(path, (0, 0))
    assert sweep(store) == 0
    assert path.is_dir()


def test_a_manifest_that_is_being_put_is_not_swept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fs.write_fully

    def write(fd: int, data: bytes, offset: int, path: Path) -> None:
        real(fd, data, offset, path)
        assert store.sweep(now=2.0**40, older_than=0) == 0

    monkeypatch.setattr(fs, "write_fully", write)
    store.put(Digest.of(b"{}"), b"{}")
    assert store.has(Digest.of(b"{}"))


def refuse_writers(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Nothing can be opened for writing, for the reason of this number."""
    real = os.open

    def refuse(name: str, flags: int, *rest: int, **more: int) -> int:
        if flags & os.O_RDWR:
            raise OSError(number, os.strerror(number))
        return real(name, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_T09_what_a_store_that_is_only_read_holds_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = leave(store, DATA, age=8 * DAY)
    refuse_writers(monkeypatch, number)
    assert sweep(store) == 0
    assert path.exists()


def test_T04_a_disk_that_fails_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(store, DATA, age=8 * DAY)
    refuse_writers(monkeypatch, errno.EIO)
    with pytest.raises(StoreError, match=r"(?i)input/output error"):
        sweep(store)
