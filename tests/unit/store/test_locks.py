from __future__ import annotations

import errno
import fcntl
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import StoreError
from pinner.store.fs import Folder
from pinner.store.locks import acquire, exclusive
from support import storing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.store.layout import Store


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    opened = Folder.at(tmp_path)
    yield opened
    opened.close()


def test_a_lock_excludes_until_its_descriptor_is_closed(folder: Folder) -> None:
    first = acquire(folder, "lock", wait=False)
    assert first is not None
    assert acquire(folder, "lock", wait=False) is None
    os.close(first)
    second = acquire(folder, "lock", wait=False)
    assert second is not None
    os.close(second)


@pytest.mark.parametrize("change", ["unlink", "rename"])
def test_who_waited_for_a_file_that_is_gone_locks_the_new_one(folder: Folder, change: str) -> None:
    first = acquire(folder, "lock", wait=False)
    assert first is not None
    opened = threading.Event()
    locked: list[int | None] = []

    def wait() -> None:
        opened.set()
        locked.append(acquire(folder, "lock", wait=True))

    waiter = threading.Thread(target=wait)
    waiter.start()
    opened.wait()
    if change == "unlink":
        folder.unlink("lock")
    else:
        folder.rename("lock", folder, "published")
    os.close(first)
    waiter.join()
    assert locked[0] is not None
    assert folder.holds("lock", locked[0])
    os.close(locked[0])


def test_exclusive_lets_one_in_at_a_time(folder: Folder) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter() -> None:
        for _ in range(50):
            with exclusive(folder, "lock"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}


def test_T21_a_file_system_without_locks_is_a_clear_error(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, operation: int) -> NoReturn:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(StoreError, match="file locks do not work here"):
        acquire(folder, "lock", wait=True)
    assert len(list(Path("/dev/fd").iterdir())) <= before  # another test's thread may end


def test_T22_a_killed_holder_frees_its_lock(store: Store) -> None:
    process = storing.start("hold", store.root, 7)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    ingest = Folder.at(store.root / "ingest")
    (partial,) = [name for name in ingest.names() if not name.endswith(".extents")]
    assert acquire(ingest, partial, wait=False) is None
    process.kill()
    process.communicate()
    fd = acquire(ingest, partial, wait=False)
    assert fd is not None
    os.close(fd)
    ingest.close()


def test_T33_a_lock_that_is_a_link_is_not_followed(folder: Folder) -> None:
    victim = folder.path / "victim"
    victim.write_text("mine", encoding="ascii")
    (folder.path / "lock").symlink_to(victim)
    with pytest.raises(StoreError, match="symbolic link"):
        acquire(folder, "lock", wait=True)
    assert victim.read_text(encoding="ascii") == "mine"
