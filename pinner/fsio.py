"""Files as pinner reads and writes them: bounded, regular files only, replaced whole.

A reader of a file sees the old bytes or the new bytes, never a mixture: `write_atomic` writes a
temporary in the same folder, syncs it, and renames it over the target.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, StoreError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_MIB: Final = 1024 * 1024
# What a file system that cannot sync folders answers.
_CANNOT_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP})


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
        os.close(fd)
    if len(data) > limit:
        size = f"{limit} bytes" if limit % _MIB else f"{limit // _MIB} MiB"
        raise InputError(f"is larger than {size}", where=shown)
    return data


def write_atomic(files: Mapping[Path, bytes]) -> None:
    """Replace each path by a file of exactly these bytes; the mode of an existing file is kept.

    All are written and synced before the first gets its name, so that a full disk leaves every
    file as it was; then they are renamed in the given order, and where one cannot be (it is
    immutable, or mounted), those before it get their old bytes back. A symbolic link is followed:
    the file that it names is replaced, the link stays.

    Raises:
        StoreError: the disk refused, at the file that is named. It is as it was and no temporary
            is left, unless only the folder could not be synced, which the message then says.
    """
    staged: dict[Path, tuple[Path, Path]] = {}
    try:
        for path, data in files.items():
            with _refusals(path):
                target = path.resolve()
                staged[path] = _stage(target, data), target
        before: dict[Path, bytes | None] = {}
        for path, (_, target) in staged.items():
            with _refusals(path):
                before[target] = _bytes_of(target)
        replaced: list[Path] = []
        for path, (temporary, target) in staged.items():
            with _refusals(path), _put_back(replaced, before):
                temporary.replace(target)
            replaced.append(target)
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


def _bytes_of(path: Path) -> bytes | None:
    """What is in a file that may have to be put back; None for no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def _put_back(replaced: Sequence[Path], before: Mapping[Path, bytes | None]) -> Iterator[None]:
    """Undo the replacements so far if the block fails, as far as the disk lets us."""
    try:
        yield
    except OSError:
        for path in replaced:
            data = before[path]
            with contextlib.suppress(OSError):
                if data is None:
                    path.unlink()
                else:
                    _stage(path, data).replace(path)
        raise


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a loop, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else "its links form a loop"
        raise StoreError(
            f"cannot be written: {reason}", where=safe(str(path)), mend="it was not changed"
        ) from error


def _stage(target: Path, data: bytes) -> Path:
    """A temporary beside `target` with these bytes, on the disk, and with its mode."""
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = None
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with open(fd, "wb", closefd=True) as file:  # noqa: PTH123 - from a descriptor
            if mode is not None:
                os.fchmod(fd, mode)
            file.write(data)
            file.flush()
            os.fsync(fd)
    except BaseException:
        _remove(temporary)
        raise
    return temporary


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
        os.close(fd)
