"""`blobs/<algorithm>/<hex>`: finding, reading and publishing blobs, links never followed.

A blob's path is built from a parsed `Digest` and from nothing else.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError, StoreError
from pinner.fsio import release
from pinner.store import fs
from pinner.store.hashing import file_matches

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.oci.digest import Digest
    from pinner.store.fs import Folder

BLOBS: Final = "blobs"
_PUBLISHED_MODE: Final = 0o444


class Blobs:
    """The blobs of one store; every method may be called from any thread."""

    def __init__(self, root: Folder) -> None:
        self._root = root
        self._folders: dict[str, Folder] = {}
        self._lock = threading.Lock()

    def path(self, digest: Digest) -> Path:
        """Where this blob is, or would be."""
        return self._root.path / BLOBS / digest.algorithm / digest.hex

    def folder(self, algorithm: str, *, create: bool) -> Folder:
        """The open folder of an algorithm's blobs.

        Raises:
            FileNotFoundError: there is none, and `create` is off.
            StoreError: a link, not a folder, foreign, or writable by everybody (T31).
        """
        found = self._folders.get(algorithm)
        if found is not None:
            return found
        with self._lock:
            found = self._folders.get(algorithm)
            if found is None:
                above = self._root.folder(BLOBS, create=create)
                try:
                    found = self._folders[algorithm] = above.folder(algorithm, create=create)
                finally:
                    above.close()
            return found

    def size(self, digest: Digest) -> int | None:
        """The size of the blob's file in bytes; None where there is none.

        Raises:
            StoreError: what is there is no regular file (T12, T30).
        """
        found = self._look(digest)
        return None if found is None else found.st_size

    def own_size(self, digest: Digest) -> int | None:
        """The same; None too where the file is another user's, who can change it (T35).

        Raises:
            StoreError: what is there is no regular file (T12, T30).
        """
        found = self._look(digest)
        return None if found is None or not fs.is_ours(found) else found.st_size

    def is_foreign(self, digest: Digest) -> bool:
        """Whether the blob is here, and another user's.

        Raises:
            StoreError: what is there is no regular file (T12, T30).
        """
        found = self._look(digest)
        return found is not None and not fs.is_ours(found)

    def _look(self, digest: Digest) -> os.stat_result | None:
        try:
            found = self.folder(digest.algorithm, create=False).stat(digest.hex)
        except FileNotFoundError:
            return None
        if found is not None and not stat.S_ISREG(found.st_mode):
            raise fs.not_regular(self.path(digest))
        return found

    def matches(self, digest: Digest) -> bool:
        """Whether the blob is there and hashes to its name."""
        try:
            fd = self.folder(digest.algorithm, create=False).open_file(digest.hex, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            return file_matches(fd, digest, self.path(digest))
        finally:
            release(fd)

    def read(self, digest: Digest, limit: int) -> bytes:
        """The bytes of the blob, which hash to its name.

        Raises:
            StoreError: it is not there, larger than `limit` bytes, or unreadable.
            IntegrityError: its bytes are not those that its name promises.
        """
        try:
            data = self.folder(digest.algorithm, create=False).read(digest.hex, limit)
        except FileNotFoundError:
            raise StoreError(f"the store has no blob {digest}", mend="run `pinner sync`") from None
        if not digest.matches(data):
            raise IntegrityError(
                f"blob {digest} is corrupt in the store",
                where=str(self.path(digest)),
                mend="run `pinner verify`; the next `pinner sync` fetches it anew",
            )
        return data

    def sync(self, digest: Digest) -> None:
        """Make a blob durable, with its name; one that is gone needs nothing."""
        folder = self.folder(digest.algorithm, create=False)
        try:
            fd = folder.open_file(digest.hex, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            fs.sync_file(fd, self.path(digest))
        finally:
            release(fd)
        folder.sync()

    def remove(self, digest: Digest) -> None:
        """Remove a blob that nothing needs; one that is gone is fine.

        Raises:
            StoreError: the disk refused.
        """
        try:
            self.folder(digest.algorithm, create=False).unlink(digest.hex)
        except FileNotFoundError:
            return

    def close(self) -> None:
        """Release the folders."""
        with self._lock:
            while self._folders:
                self._folders.popitem()[1].close()


def publish(fd: int, origin: Folder, name: str, blobs: Folder, new: str, *, sync: bool) -> None:
    """Give a verified file its name among the blobs, in one step, and make it read-only.

    Args:
        fd: the open file.
        origin: the folder that it is in, as `name`; of the same file system (T23).
        name: its name there.
        blobs: the folder of its algorithm's blobs.
        new: the digest's hexadecimal digits.
        sync: return only when bytes and name are on the disk.

    Raises:
        StoreError: the disk refused; what was there under the name before still is.
    """
    if sync:
        fs.sync_file(fd, origin.path / name)
    origin.rename(name, blobs, new)
    # Behind the rename: with a read-only file that did not come so far, only root could go on.
    # Where it is refused, the blob is as sound, and its owner may write to it as before.
    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(os.fstat(fd).st_mode)  # 0644 less the user's umask
        os.fchmod(fd, mode & _PUBLISHED_MODE)
    if sync:
        blobs.sync()
