"""The new version of a file before it has the file's name, so that a death leaves nothing for long.

    without a name   Linux, on most file systems: the kernel drops it with its last descriptor
    .FILE.….tmp      elsewhere; and everywhere between the moment when all is written and the rename

A name is locked (flock) while its writer lives. Whoever writes the same file next removes those
that nobody holds.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import sys
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from pinner.fsio.reading import release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OPEN: Final = os.O_RDWR | os.O_CLOEXEC
_LOOK: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_LONGEST: Final = 200  # bytes of the file's own name in that of a temporary, which has 255
# What a system answers that has no files without names, or none in this folder.
_NO_UNNAMED: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
# What it answers that gives such a file no name later: a policy, or a system without /proc.
_NO_LINK: Final = frozenset({
    errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT, errno.EXDEV,
})  # fmt: skip
# What a file system answers that has no extended attributes, or whose the user may not set.
_NO_ATTRIBUTES: Final = frozenset({
    errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL,
    *([errno.ENODATA] if hasattr(errno, "ENODATA") else []),
})  # fmt: skip
# What it answers that does not let the owner be changed, or (EINVAL) has no number for this one in
# the user namespace.
_NO_OWNER: Final = frozenset({errno.EPERM, errno.EACCES, errno.EINVAL})
_AT_ONCE: Final = 2**30

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Temporary:
    """What `target` shall become: written through `fd`, then given its name, or discarded.

    All methods raise OSError as the system does.
    """

    def __init__(self, target: Path, mode: int) -> None:
        """Open one in the folder of `target`, and remove what dead writers of it left there.

        Args:
            target: the file, links resolved.
            mode: of a new file, before the umask.
        """
        remove_abandoned(target)
        self._target = target
        self._mode = mode
        self._name: Path | None = None
        fd = _open_unnamed(target.parent, mode)
        if fd is None:
            fd, self._name = _open_named(target, mode)
        self.fd = fd

    def give_name(self) -> Path:
        """Let it have a name of its own; what may lack for that, such as room, lacks now."""
        if self._name is not None:
            return self._name
        name = _beside(self._target)
        try:
            # The descriptor makes this `linkat`, which follows the link in /proc; the path is
            # absolute, so it is used for nothing else.
            os.link(f"/proc/self/fd/{self.fd}", name, src_dir_fd=self.fd, follow_symlinks=True)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            name = self._copy()
        self._name = name
        return name

    def close(self) -> None:
        """Give it a name and close it: it is not locked any more.

        What a later writer of the same file removes then has to be written once more.
        """
        self.give_name()
        self._release()

    def replace(self) -> None:
        """Rename it over the file; it stays open."""
        self.give_name().replace(self._target)
        self._name = None

    def discard(self) -> None:
        """Close it; what has not replaced the file is gone."""
        if self._name is not None:
            with contextlib.suppress(OSError):
                self._name.unlink()
            self._name = None
        self._release()

    def _copy(self) -> Path:
        """Go on in one with a name, with the same bytes."""
        fd, name = _open_named(self._target, self._mode)
        old, self.fd, self._name = self.fd, fd, name
        try:
            keep_attributes(fd, old, os.fstat(old))
            offset = 0
            while sent := os.sendfile(fd, old, offset, _AT_ONCE):
                offset += sent
            os.fsync(fd)
        finally:
            release(old)
        return name

    def _release(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            release(fd)


def keep_attributes(fd: int, source: Path | int, before: os.stat_result) -> None:
    """Give a new file the mode of the old one, and its owner and attributes where that is let."""
    mine = os.fstat(fd)
    if (mine.st_uid, mine.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.fchown(fd, before.st_uid, before.st_gid)
        except OSError as error:
            if error.errno not in _NO_OWNER:
                raise
    if sys.platform == "linux":
        for name in _refusable(os.listxattr, source) or ():
            value = _refusable(os.getxattr, source, name)
            if value is not None:
                _refusable(os.setxattr, fd, name, value)
    os.fchmod(fd, stat.S_IMODE(before.st_mode))  # last: a new owner takes bits away


def _refusable(
    function: Callable[_Arguments, _Result], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> _Result | None:
    """The answer of a function on extended attributes; None where the file system has none."""
    try:
        return function(*args, **kwargs)
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTES:
            raise
        return None


def remove_abandoned(target: Path) -> None:
    """Remove temporaries of `target` whose writers have died; never one of a living writer."""
    ours = re.compile(rf"\.{re.escape(_shortened(target.name))}\.[0-9a-f]{{8}}\.tmp")
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if ours.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str) -> None:
    with contextlib.suppress(OSError):
        try:
            fd = os.open(path, _LOOK | os.O_RDWR)  # on NFS, only what can be written is locked
        except PermissionError:  # it has the mode of a file that is read-only
            fd = os.open(path, _LOOK | os.O_RDONLY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(path)  # noqa: PTH108 - the loop has no Path
        finally:
            release(fd)


def _open_unnamed(folder: Path, mode: int) -> int | None:
    """A locked file in the folder that has no name; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    try:
        fd = os.open(folder, _OPEN | os.O_TMPFILE, mode)
    except OSError as error:
        if error.errno in _NO_UNNAMED:
            return None
        raise
    _lock(fd)
    return fd


def _open_named(target: Path, mode: int) -> tuple[int, Path]:
    """A new locked file beside `target`, and its name."""
    while True:
        path = _beside(target)
        fd = os.open(path, _OPEN | os.O_CREAT | os.O_EXCL, mode)
        try:
            # Until it is locked, another writer may take it for abandoned.
            if _lock(fd) and os.fstat(fd).st_nlink:
                return fd, path
        except BaseException:
            with contextlib.suppress(OSError):
                path.unlink()
            release(fd)
            raise
        release(fd)


def _lock(fd: int) -> bool:
    """Lock a file; False where another has it. A file system without locks lets it be."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _beside(target: Path) -> Path:
    """A new name in the folder of `target`."""
    return target.with_name(f".{_shortened(target.name)}.{os.urandom(4).hex()}.tmp")


def _shortened(name: str) -> str:
    return os.fsdecode(os.fsencode(name)[:_LONGEST])
