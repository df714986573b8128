"""Files as pinner reads and writes them: bounded, regular files only, replaced whole.

A reader of a file sees the old bytes or the new bytes, never a mixture: `write_atomic` writes a
temporary in the same folder, syncs it, and renames it over the target.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from pinner.errors import InputError, StoreError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_MIB: Final = 1024 * 1024
_PRIVATE: Final = 0o600
# What a file system that cannot sync folders answers.
_CANNOT_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP})
# What a file system answers that has no extended attributes, or whose the user may not set.
_NO_ATTRIBUTES: Final = frozenset({
    errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL,
    *([errno.ENODATA] if hasattr(errno, "ENODATA") else []),
})  # fmt: skip

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class FileChanged(StoreError):  # noqa: N818 - nothing went wrong with the disk
    """A file is not as the writer expected it: someone else has changed it."""


def read_limited(path: Path, limit: int) -> bytes:
    """The whole file, which must be a regular file of at most `limit` bytes.

    Raises:
        FileNotFoundError: there is no such file; the caller knows what that means.
        InputError: a folder, device or FIFO, too large, or unreadable.
    """
    shown = safe(str(path))
    try:
        # O_NONBLOCK: opening a FIFO must fail the check below, not hang.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=shown) from error
    except ValueError as error:
        raise InputError("is not a path", where=shown) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise InputError("is not a regular file", where=shown)
        with open(fd, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=shown) from error
    finally:
        release(fd)
    if len(data) > limit:
        size = f"{limit} bytes" if limit % _MIB else f"{limit // _MIB} MiB"
        raise InputError(f"is larger than {size}", where=shown)
    return data


def write_atomic(
    files: Mapping[Path, bytes],
    *,
    expected: Mapping[Path, bytes] | None = None,
    private: bool = False,
) -> None:
    """Replace each path by a file of exactly these bytes.

    Mode, owner and extended attributes of an existing file are kept, as far as the system lets; a
    hard link is broken: the other names keep the old bytes.

    All are written and synced before the first gets its name, so that a full disk leaves every
    file as it was; then they are renamed in the given order, and where one cannot be (it is
    immutable, or mounted), those before it get their old bytes back. A symbolic link is followed:
    the file that it names is replaced, the link stays.

    Args:
        files: what to write.
        expected: what a file has to have still, looked at before the first is renamed and again
            right before it is renamed itself; no entry, no condition.
        private: the files are for their owner alone (0600), whatever their mode was.

    Raises:
        FileChanged: a file is not as expected; all else holds as below.
        StoreError: the disk refused, or a file is not as expected; it is named. It is as it was
            and no temporary is left, unless only the folder could not be synced, which the message
            then says. The mend lists the files that could not be put back, if any.
    """
    staged: dict[Path, tuple[Path, Path]] = {}
    conditions = expected or {}
    try:
        for path, data in files.items():
            with _refusals(path):
                target = path.resolve()
                staged[path] = _stage(target, data, private=private), target
        for path in files:
            _require_same(path, conditions)
        _rename(staged, conditions)
    finally:
        for temporary, _ in staged.values():
            _remove(temporary)
    for path, (_, target) in staged.items():
        try:
            sync_directory(target.parent)
        except OSError as error:
            raise StoreError(
                f"was written, but may be lost in a power cut: {error.strerror}",
                where=safe(str(path)),
            ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[int]:
    """A descriptor for what a file shall have, however much; it gets its name at the end.

    The bytes go to a temporary in the same folder, which is renamed over the file when the block
    ends well, and removed when it does not. They are not synced: a power cut right afterwards may
    cost them. Mode and links are treated as by `write_atomic`. A device, FIFO or socket that has
    the name is written to as it is.

    Raises:
        StoreError: there can be no such file, or not here.
    """
    with _refusals(path):
        target = path.resolve()
        found = _status(target)
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise StoreError(
                "is a folder", where=safe(str(path)), mend="name a file: it is made where missing"
            )
        if found is not None and not stat.S_ISREG(found.st_mode):
            fd, temporary = os.open(path, os.O_WRONLY | os.O_CLOEXEC), None
        else:
            temporary = _beside(target)
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            if temporary is not None and found is not None:
                with _refusals(path):
                    _keep_attributes(fd, target, found)
            yield fd
        finally:
            os.close(fd)
        if temporary is not None:
            with _refusals(path):
                temporary.replace(target)
    except BaseException:
        if temporary is not None:
            _remove(temporary)
        raise


def _rename(staged: Mapping[Path, tuple[Path, Path]], conditions: Mapping[Path, bytes]) -> None:
    before: dict[Path, bytes | None] = {}
    for path, (_, target) in staged.items():
        with _refusals(path):
            before[path] = _bytes_of(target)
    written: list[Path] = []
    try:
        for path, (temporary, target) in staged.items():
            _require_same(path, conditions)
            with _refusals(path):
                temporary.replace(target)
            written.append(path)
    except StoreError as error:
        left = [path for path in written if not _put_back(staged[path][1], before[path])]
        if left:
            error.mend += (f"written before it: {', '.join(safe(str(path)) for path in left)}",)
        raise


def _bytes_of(path: Path) -> bytes | None:
    """What is in a file that may have to be put back; None for no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _put_back(path: Path, data: bytes | None) -> bool:
    """Give a file its old bytes again, or take it away; whether the disk let us."""
    try:
        if data is None:
            path.unlink()
        else:
            _stage(path, data).replace(path)
    except OSError:
        return False
    return True


def _require_same(path: Path, conditions: Mapping[Path, bytes]) -> None:
    if path not in conditions:
        return
    try:
        same = read_limited(path, len(conditions[path])) == conditions[path]
    except (FileNotFoundError, InputError):
        same = False
    if not same:
        raise FileChanged(
            "was changed by someone else meanwhile, and is not overwritten",
            where=safe(str(path)),
            mend="run it again",
        )


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a loop, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else "its links form a loop"
        raise StoreError(
            f"cannot be written: {reason}", where=safe(str(path)), mend="it was not changed"
        ) from error


def _stage(target: Path, data: bytes, *, private: bool = False) -> Path:
    """A temporary beside `target` with these bytes, on the disk, and with its mode."""
    temporary = _beside(target)
    before = _status(target)
    try:
        mode = _PRIVATE if private else 0o666
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(fd, "wb", closefd=True) as file:  # noqa: PTH123 - from a descriptor
            if before is not None:
                _keep_attributes(fd, target, before)
            if private:
                os.fchmod(fd, _PRIVATE)
            file.write(data)
            file.flush()
            os.fsync(fd)
    except BaseException:
        _remove(temporary)
        raise
    return temporary


def _beside(target: Path) -> Path:
    """A new name in the folder of `target`."""
    return target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _keep_attributes(fd: int, target: Path, before: os.stat_result) -> None:
    """Give a new file the mode of the old one, and its owner and attributes where that is let."""
    mine = os.fstat(fd)
    if (mine.st_uid, mine.st_gid) != (before.st_uid, before.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(fd, before.st_uid, before.st_gid)
    if sys.platform == "linux":
        for name in _refusable(os.listxattr, target) or ():
            value = _refusable(os.getxattr, target, name)
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


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # also: it has got its name by now
        path.unlink()


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable, where the file system supports that."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        release(fd)


def release(fd: int) -> None:
    """Close a descriptor that was read from, or whose bytes were synced.

    What the system says only now (EIO of a network file system, EINTR) changes nothing any more.
    """
    with contextlib.suppress(OSError):
        os.close(fd)
