"""Reading whole files, and what has to do with descriptors."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
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
        release(fd)
    if len(data) > limit:
        size = f"{limit} bytes" if limit % _MIB else f"{limit // _MIB} MiB"
        raise InputError(f"is larger than {size}", where=shown)
    return data


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
