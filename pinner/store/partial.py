"""A blob's file while it is incomplete, and the journal that says which of its bytes are real.

    ingest/<algorithm>-<hex>            the bytes so far, each at its place; locked by its writer
    ingest/<algorithm>-<hex>.extents    see `extents`; appended to now and then

A killed process loses at most what it had not journaled.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pinner.errors import StoreError
from pinner.fsio import release
from pinner.store import fs
from pinner.store.blobs import publish
from pinner.store.extents import Extents
from pinner.store.hashing import hash_range
from pinner.store.locks import acquire
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.oci.digest import Buffer, Digest, Hasher
    from pinner.store.fs import Folder

INGEST: Final = "ingest"
JOURNAL_SUFFIX: Final = ".extents"
_JOURNAL_LIMIT: Final = 64 * 1024 * 1024


def partial_name(digest: Digest) -> str:
    """The file that a blob is received in."""
    return f"{digest.algorithm}-{digest.hex}"


def acquire_partial(folder: Folder, digest: Digest) -> int | None:
    """The file that a blob is received in, open and locked; None where another has the lock.

    One with a second name is another store's too, where it may be a blob by now (T27): its name
    here goes, and a file of our own is begun.

    Raises:
        StoreError: not a regular file, or the disk refused.
    """
    name = partial_name(digest)
    while (fd := acquire(folder, name, wait=False)) is not None:
        try:
            if fs.status(fd, folder.path / name).st_nlink == 1:
                return fd
            folder.unlink(name + JOURNAL_SUFFIX)
            folder.unlink(name)
        except BaseException:
            release(fd)
            raise
        release(fd)
    return None


class Partial:
    """The open, locked file of one blob in the making. Writes may come from several threads."""

    def __init__(self, fd: int, folder: Folder, digest: Digest) -> None:
        """Take over `fd`, open for reading and writing; closing it frees the lock."""
        self._fd = fd
        self._folder = folder
        self._digest = digest
        self._name = partial_name(digest)
        self._journal_name = self._name + JOURNAL_SUFFIX
        self._path = folder.path / self._name
        self._journal: int | None = None
        self._lock = threading.Lock()

    def resume(self, size: int) -> Extents:
        """What an earlier run left of a blob of `size` bytes (T13); if nothing, the file is empty.

        Bytes that were not journaled in time are not counted. A journal that speaks of more than
        the file holds, or a file larger than the blob, makes all of it worthless.

        Raises:
            StoreError: the disk refused.
        """
        length = fs.status(self._fd, self._path).st_size
        try:
            found = Extents.loads(self._folder.read(self._journal_name, _JOURNAL_LIMIT))
        except FileNotFoundError:
            found = Extents()
        if found.total and found.end <= length <= size:
            return found
        self.empty()
        return Extents()

    def write(self, offset: int, data: Buffer) -> None:
        """Write all of `data` at `offset`."""
        fs.write_fully(self._fd, data, offset, self._path)

    def hash_range(self, hasher: Hasher, start: int, end: int) -> None:
        """Feed the bytes [start, end), which were written, to `hasher`."""
        if hash_range(hasher, self._fd, start, end, self._path) < end:
            raise StoreError("was cut short by another program", where=safe(str(self._path)))

    def note(self, pieces: list[tuple[int, int]]) -> None:
        """Append written pieces to the journal."""
        runs = Extents()
        for start, end in pieces:
            runs.add(start, end)
        try:
            os.write(self._open_journal(), runs.dumps())
        except OSError as error:
            path = self._folder.path / self._journal_name
            raise fs.store_error(error, path, "cannot be written") from error

    def empty(self) -> None:
        """Drop every byte; file and lock stay."""
        try:
            # ext4 takes any truncation to 0 for a replacement, and writes all of a file out when
            # it is closed after one: a fresh file must not be truncated.
            if os.fstat(self._fd).st_size:
                os.ftruncate(self._fd, 0)
        except OSError as error:
            raise fs.store_error(error, self._path, "cannot be emptied") from error
        self._close_journal()
        self._folder.unlink(self._journal_name)

    def remove(self) -> None:
        """Drop the file; the lock, now on nothing, goes with `close`."""
        self._folder.unlink(self._journal_name)
        self._folder.unlink(self._name)

    def publish(self, blobs: Folder, *, sync: bool) -> None:
        """Move the file, which was verified, to its place among the blobs."""
        publish(self._fd, self._folder, self._name, blobs, self._digest.hex, sync=sync)
        self._folder.unlink(self._journal_name)

    def close(self) -> None:
        """Free the lock."""
        self._close_journal()
        fs.close_written(self._fd, self._path)

    def _open_journal(self) -> int:
        with self._lock:
            if self._journal is None:
                self._journal = self._folder.open_file(
                    self._journal_name, os.O_WRONLY | os.O_CREAT | os.O_APPEND
                )
            return self._journal

    def _close_journal(self) -> None:
        if self._journal is not None:
            release(self._journal)
            self._journal = None
