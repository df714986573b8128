"""`.pinner/` inside a store: its lock, and what pinner notes about the store.

    .pinner/lock        flock: held for each read-modify-write of what processes share
    .pinner/new         the next version of a file, until it is renamed to its place
    .pinner/unsynced/   see `durability`
    .pinner/leases/     see `leases`

It is made at the first write, so that a layout of another tool can be read without writing to it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pinner.fsio import release
from pinner.store import fs
from pinner.store.locks import exclusive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.store.fs import Folder

CONTROL: Final = ".pinner"
_LOCK: Final = "lock"
_NEW: Final = "new"


class Held:
    """The control folder while its lock is held; only through this are shared files replaced."""

    __slots__ = ("folder",)

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def replace(self, target: Folder, name: str, data: bytes) -> None:
        """Make `name` in `target` a file of exactly `data`: readers see the old or the new one.

        The lock makes one fixed temporary name enough, so a killed process leaves no litter.

        Raises:
            StoreError: the disk refused; the old file is as it was.
        """
        path = target.path / name
        self.folder.unlink(_NEW)
        fd = self.folder.open_file(_NEW, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            fs.write_fully(fd, data, 0, path)
            fs.sync_file(fd, path)
        finally:
            release(fd)
        self.folder.rename(_NEW, target, name)
        target.sync()


@contextmanager
def control_held(root: Folder) -> Iterator[Held]:
    """The control folder of a store, locked against other processes and threads.

    Raises:
        StoreError: it cannot be made, locked or is not ours.
    """
    folder = root.folder(CONTROL, create=True)
    try:
        with exclusive(folder, _LOCK):
            yield Held(folder)
    finally:
        folder.close()
