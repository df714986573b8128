"""Locks between processes (and threads): `flock`, which the kernel frees with its holder (T22).

A lock file is the file it guards or one that is never removed. Where it may be renamed or removed
by its holder, whoever waited for it holds a lock on nothing; so the name is compared again.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinner.fsio import release
from pinner.store.fs import store_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.store.fs import Folder


def acquire(folder: Folder, name: str, *, wait: bool) -> int | None:
    """A descriptor, open for reading and writing, of the file `name` and its exclusive lock.

    The file is created where it is missing. Closing the descriptor frees the lock.

    Returns:
        None where another holds the lock, and `wait` is off.

    Raises:
        StoreError: not a regular file, or a file system without locks (T21, T33, T36).
    """
    while True:
        fd = folder.open_file(name, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.holds(name, fd):
                return fd
        except BlockingIOError:
            release(fd)
            return None
        except OSError as error:
            release(fd)
            raise store_error(error, folder.path / name, "cannot be locked") from error
        except BaseException:
            release(fd)
            raise
        release(fd)  # renamed or removed while we waited: that lock guards nothing


def is_free(folder: Folder, name: str) -> bool:
    """Whether nobody holds the lock of the file `name`, now; it is neither made nor written to.

    Raises:
        StoreError: not a regular file, or a file system without locks.
    """
    try:
        fd = folder.open_file(name, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise store_error(error, folder.path / name, "cannot be locked") from error
    finally:
        release(fd)
    return True


@contextmanager
def exclusive(folder: Folder, name: str) -> Iterator[None]:
    """Hold the lock file `name` for the length of the block, waiting for it first."""
    fd = acquire(folder, name, wait=True)
    try:
        yield
    finally:
        if fd is not None:
            release(fd)
