"""Folders held open: what the store does in one cannot be led elsewhere.

Every path is a name inside an open folder (`dir_fd`), and no name is followed if it is a symbolic
link, so a renamed parent or a planted link changes nothing outside (faults.md T30 to T37). Errors
of the system become `StoreError` here and nowhere else, with the path, the cause and the mend.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import StoreError
from pinner.fsio import release
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

_DIR_MODE: Final = 0o755
_FILE_MODE: Final = 0o644
# O_NONBLOCK: a FIFO in a file's place must fail the check, not hang the open.
_GUARDED: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_READ_PIECE: Final = 64 * 1024
_OTHER_DISK: Final = "choose another store with --store or PINNER_STORE"

# What a file system that cannot sync folders answers.
_CANNOT_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP})

_CAUSES: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: ("no space left on the disk", f"free some space, or {_OTHER_DISK}"),
    errno.EDQUOT: ("the disk quota is used up", f"free some space, or {_OTHER_DISK}"),
    errno.EROFS: ("the file system is read-only", _OTHER_DISK),
    errno.EACCES: ("permission denied", f"run as the store's owner, or {_OTHER_DISK}"),
    errno.EPERM: ("not permitted", f"run as the store's owner, or {_OTHER_DISK}"),
    errno.EMFILE: ("too many open files", "lower --jobs, or raise `ulimit -n`"),
    errno.ENFILE: ("too many open files in the whole system", "lower --jobs"),
    errno.EFBIG: ("the file would be larger than allowed", "raise `ulimit -f`"),
    errno.EIO: ("the disk failed (input/output error)", _OTHER_DISK),
    errno.ENAMETOOLONG: ("the path is too long", _OTHER_DISK),
    errno.ENOLCK: ("file locks do not work here", f"use a local disk: {_OTHER_DISK}"),
    errno.EOPNOTSUPP: ("the file system does not support this", f"use a local disk: {_OTHER_DISK}"),
    errno.ELOOP: ("is a symbolic link, and links are not followed in a store", "remove it"),
    errno.ENOTDIR: ("is not a folder, or a symbolic link to one", "remove it"),
    errno.EEXIST: ("exists and is not a folder", _OTHER_DISK),
    errno.EISDIR: ("is a folder, not a file", "remove it"),
    errno.EXDEV: (
        "it lies on another file system than the rest of the store",
        "let no folder of a store be a mount",
    ),
    errno.ENXIO: ("is not a regular file", "remove it"),
}


def store_error(error: OSError, path: Path, doing: str, *, needed: int = 0) -> StoreError:
    """`error` as a `StoreError`: what could not be done to `path`, why, and the mend.

    Args:
        error: what the system said.
        path: shown to the user, made safe.
        doing: a phrase as "cannot be written".
        needed: bytes that the step needed, where that explains a full disk; 0 leaves it out.
    """
    number = error.errno or 0
    cause, mend = _CAUSES.get(number, (error.strerror or str(error), ""))
    if needed and number in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        cause += f" ({needed} bytes were needed)"
    return StoreError(f"{doing}: {cause}", where=safe(str(path)), mend=mend or ())


class Folder:
    """An open folder and the path by which it was reached, for messages.

    Names passed in are single path segments that pinner made itself.
    """

    __slots__ = ("fd", "path")

    def __init__(self, fd: int, path: Path) -> None:
        self.fd = fd
        self.path = path
        try:
            _refuse_foreign(status(fd, path), path)
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, path: Path) -> Self:
        """The folder at `path`; links on the way are the user's own and are followed.

        Raises:
            FileNotFoundError: there is none.
            StoreError: not a folder, not readable, foreign, or writable by everybody.
        """
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except NotADirectoryError as error:  # the user's file, so not to be removed
            raise StoreError(
                "cannot be opened: is not a folder", where=safe(str(path)), mend=_OTHER_DISK
            ) from error
        except OSError as error:
            raise store_error(error, path, "cannot be opened") from error
        return cls(fd, path)

    def folder(self, name: str, *, create: bool = False) -> Folder:
        """The folder `name` in this one, made first where `create` says so.

        Raises:
            FileNotFoundError: there is none, and `create` is off.
            StoreError: a link, not a folder, foreign, or writable by everybody.
        """
        path = self.path / name
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            try:
                fd = os.open(name, flags, dir_fd=self.fd)
            except FileNotFoundError:
                if not create:
                    raise
                self._make(name)
                fd = os.open(name, flags, dir_fd=self.fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise store_error(error, path, "cannot be opened") from error
        return Folder(fd, path)

    def _make(self, name: str) -> None:
        try:
            os.mkdir(name, _DIR_MODE, dir_fd=self.fd)
        except FileExistsError:
            pass  # another process was faster
        except OSError as error:
            raise store_error(error, self.path / name, "cannot be made") from error

    def open_file(self, name: str, flags: int) -> int:
        """A descriptor of the regular file `name`, mode 0644 less umask where it is created.

        Raises:
            FileNotFoundError: there is none, and `flags` lack O_CREAT.
            StoreError: a link, folder, FIFO, socket or device, or the system refused.
        """
        try:
            fd = os.open(name, flags | _GUARDED, _FILE_MODE, dir_fd=self.fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise store_error(error, self.path / name, "cannot be opened") from error
        try:
            is_regular = stat.S_ISREG(status(fd, self.path / name).st_mode)
        except BaseException:
            release(fd)
            raise
        if not is_regular:
            release(fd)
            raise not_regular(self.path / name)
        return fd

    def stat(self, name: str) -> os.stat_result | None:
        """What `name` is, links not followed; None where there is nothing."""
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise store_error(error, self.path / name, "cannot be looked at") from error

    def holds(self, name: str, fd: int) -> bool:
        """Whether `name` is the very file that `fd` has open, not renamed or replaced since."""
        found = self.stat(name)
        return found is not None and os.path.samestat(found, status(fd, self.path / name))

    def names(self) -> list[str]:
        """The names in this folder, in any order."""
        try:
            return os.listdir(self.fd)  # noqa: PTH208 - a Path cannot be a descriptor
        except OSError as error:
            raise store_error(error, self.path, "cannot be listed") from error

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of the regular file `name`, which has at most `limit`.

        Raises:
            FileNotFoundError: there is none.
            StoreError: not a regular file, larger, or unreadable.
        """
        return b"".join(self.pieces(name, limit))

    def pieces(self, name: str, limit: int) -> Generator[bytes, None, None]:
        """The same in pieces of at most 64 KiB, the file being open until the last is taken.

        Raises:
            FileNotFoundError: there is none.
            StoreError: not a regular file, larger, or unreadable.
        """
        fd = self.open_file(name, os.O_RDONLY)
        try:
            length = 0
            while piece := os.read(fd, min(_READ_PIECE, limit + 1 - length)):
                length += len(piece)
                if length > limit:
                    raise StoreError(
                        f"is larger than {limit} bytes", where=safe(str(self.path / name))
                    )
                yield piece
        except OSError as error:
            raise store_error(error, self.path / name, "cannot be read") from error
        finally:
            release(fd)

    def rename(self, name: str, to: Folder, new: str) -> None:
        """Move `name` into the folder `to` as `new`, replacing what is there, in one step."""
        try:
            os.rename(name, new, src_dir_fd=self.fd, dst_dir_fd=to.fd)
        except OSError as error:
            raise store_error(error, to.path / new, "cannot be written") from error

    def unlink(self, name: str) -> None:
        """Remove the file `name`; nothing there is fine."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise store_error(error, self.path / name, "cannot be removed") from error

    def sync(self) -> None:
        """Make the names in this folder durable, where the file system can sync a folder."""
        try:
            sync_file(self.fd, self.path)
        except StoreError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in _CANNOT_SYNC:
                raise

    def close(self) -> None:
        """Release the descriptor; again is fine."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            release(fd)


def status(fd: int, path: Path) -> os.stat_result:
    """What is open as `fd`."""
    try:
        return os.fstat(fd)
    except OSError as error:
        raise store_error(error, path, "cannot be looked at") from error


def close_written(fd: int, path: Path) -> None:
    """Close a file whose bytes were not synced: the last that the system may say of them.

    Raises:
        StoreError: they may not be what was written.
    """
    try:
        os.close(fd)
    except OSError as error:
        raise store_error(error, path, "was not written in full") from error


def write_fully(fd: int, data: bytes | bytearray | memoryview, offset: int, path: Path) -> None:
    """Write all of `data` at `offset`, however short the system's writes are (T06)."""
    view = memoryview(data)
    try:
        while view:
            written = os.pwrite(fd, view, offset)
            offset += written
            view = view[written:]
    except OSError as error:
        raise store_error(error, path, "cannot be written", needed=len(view)) from error


def sync_file(fd: int, path: Path) -> None:
    """Return when the bytes (of a folder: the names) are on the disk itself.

    A failure is final: the kernel may have dropped the pages, so a second try proves nothing (T05).
    """
    try:
        if sys.platform == "darwin":
            # Apple's fsync stops at the drive's own cache.
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        else:
            os.fsync(fd)
    except OSError as error:
        raise store_error(error, path, "cannot be made durable") from error


def not_regular(path: Path) -> StoreError:
    """The error for a link, folder, FIFO, socket or device where a file belongs (T12, T30)."""
    return StoreError("is not a regular file", where=safe(str(path)), mend="remove it")


def is_ours(found: os.stat_result) -> bool:
    """Whether it belongs to this user, or to the system (root)."""
    return found.st_uid in {os.geteuid(), 0}


def _refuse_foreign(found: os.stat_result, path: Path) -> None:
    """Only our own folders, or the system's (root's), that strangers cannot write to (T34)."""
    if not is_ours(found):
        raise StoreError(
            f"belongs to another user (uid {found.st_uid})",
            where=safe(str(path)),
            mend=f"run as its owner, or {_OTHER_DISK}",
        )
    if found.st_mode & stat.S_IWOTH:
        raise StoreError(
            "can be written by everybody, so nothing in it can be trusted",
            where=safe(str(path)),
            mend=f"`chmod o-w` it, or {_OTHER_DISK}",
        )
