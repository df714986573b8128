"""Partials that the disk, a power cut or somebody else has a hand in."""

from __future__ import annotations

import errno
import os
import resource
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import IntegrityError, StoreError
from support import storing
from support.dying import succeeds
from support.receiving import (
    DATA,
    DIGEST,
    MIB,
    OFFSETS,
    PIECE,
    SIZE,
    leftovers,
    partial_files,
    write,
)
from support.storing import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinner.store.layout import Store


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data, journal: os.truncate(data, 5 * PIECE), id="data lost"),
        pytest.param(lambda data, journal: os.truncate(data, SIZE + 1), id="data too long"),
        pytest.param(lambda data, journal: journal.unlink(), id="journal gone"),
        pytest.param(lambda data, journal: journal.write_bytes(b"\0" * 99), id="journal zeroed"),
        pytest.param(lambda data, journal: data.unlink(), id="data gone"),
        pytest.param(
            lambda data, journal: journal.write_bytes(b"\n0 99999999\n"), id="journal too long"
        ),
    ],
)
def test_T13_a_partial_that_cannot_be_believed_is_emptied(
    store: Store, damage: Callable[[Path, Path], object]
) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:10])
    damage(*partial_files(store))
    with store.begin(DIGEST, SIZE) as ingest:
        assert ingest.resumed == 0
        assert not partial_files(store)[1].exists()
        write(ingest, OFFSETS)
        ingest.commit()
    assert store.read(DIGEST, SIZE) == DATA
    assert leftovers(store) == []


def test_T13_a_partial_with_wrong_bytes_is_never_published(store: Store) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:10])
    data, _ = partial_files(store)
    with data.open("r+b") as file:
        file.write(b"\0" * 4096)
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[10:])
        with pytest.raises(IntegrityError):
            ingest.commit()
        assert ingest.resumed == 10 * PIECE
        write(ingest, OFFSETS)
        ingest.commit()
    assert store.read(DIGEST, SIZE) == DATA


@pytest.mark.parametrize("kind", [pytest.param("data", id="T32"), pytest.param("journal")])
def test_T32_a_planted_link_is_not_written_through(store: Store, tmp_path: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    store.begin(DIGEST, SIZE).close()
    partial_files(store)[kind == "journal"].symlink_to(victim)
    with pytest.raises(StoreError, match="symbolic link"):
        store.begin(DIGEST, SIZE)
    assert victim.read_bytes() == b"mine"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_T04_a_full_disk_removes_the_partial_and_names_the_bytes(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(fd: int, data: bytes, offset: int) -> NoReturn:
        raise OSError(number, os.strerror(number))

    ingest = store.begin(DIGEST, SIZE)
    write(ingest, OFFSETS[:20])
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", refuse)
        with pytest.raises(StoreError, match=f"ingest/sha256-{DIGEST.hex}: cannot be written"):
            write(ingest, OFFSETS[20:])
    ingest.close()
    assert leftovers(store) == []
    storing.fill(store, DATA)


def test_T04_a_journal_that_cannot_be_written_stops_the_writer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, data: bytes) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ingest = store.begin(DIGEST, SIZE)
    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(StoreError, match=r"\.extents: cannot be written: no space left"):
        write(ingest, OFFSETS)
    ingest.close()
    assert leftovers(store) == []


def test_a_journal_that_cannot_be_completed_at_the_end_is_no_failure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are received once more, that is all."""

    def refuse(fd: int, data: bytes) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:2])
        monkeypatch.setattr(os, "write", refuse)
    with store.begin(DIGEST, SIZE) as ingest:
        assert ingest.resumed == 0


def test_a_partial_that_cannot_be_emptied_is_an_error(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, length: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:2])
        with monkeypatch.context() as patch:
            patch.setattr(os, "ftruncate", refuse)
            with pytest.raises(StoreError, match="cannot be emptied: the disk failed"):
                ingest.reset()


def test_T06_a_file_size_limit_is_a_clear_error(root: Path) -> None:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        with open_store(root) as store:
            ingest = store.begin(DIGEST, SIZE)
            with pytest.raises(StoreError, match=r"larger than allowed \([0-9]+ bytes were needed"):
                write(ingest, OFFSETS)
            ingest.close()
            assert leftovers(store) == []

    assert succeeds(limited, uid=os.geteuid())


def test_T05_a_failed_sync_loses_the_blob(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel may have dropped the pages: what was received is not trusted again."""

    def refuse(fd: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    ingest = store.begin(DIGEST, SIZE)
    write(ingest, OFFSETS)
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StoreError, match="cannot be made durable: the disk failed"):
        ingest.commit()
    ingest.close()
    assert leftovers(store) == []
    assert not store.has(DIGEST)


def test_a_failed_rename_keeps_what_was_received(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.announce([DIGEST])
    ingest = store.begin(DIGEST, SIZE)
    write(ingest, OFFSETS)
    with monkeypatch.context() as patch:

        def refuse(*args: object, **kwargs: object) -> NoReturn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(os, "rename", refuse)
        with pytest.raises(StoreError, match="no space left"):
            ingest.commit()
    ingest.close()
    (partial,) = (path for path in partial_files(store) if path.stat().st_size == SIZE)
    assert partial.stat().st_mode & 0o200  # else nobody but root could go on with it
    with store.begin(DIGEST, SIZE) as ingest:
        assert ingest.missing() == ()
        ingest.commit()
    assert store.read(DIGEST, SIZE) == DATA


def test_a_partial_that_somebody_cut_is_noticed(store: Store) -> None:
    ingest = store.begin(DIGEST, SIZE)
    write(ingest, OFFSETS[1:])
    os.truncate(partial_files(store)[0], 0)
    with pytest.raises(StoreError, match="cut short by another program"):
        write(ingest, OFFSETS[:1])
    ingest.close()
    assert leftovers(store) == []
