"""Hashing files that are there already."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pinner.store.fs import status, store_error

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.oci.digest import Digest, Hasher

_PIECE: Final = 256 * 1024  # stays in a core's cache between the copy and the hash


def hash_range(hasher: Hasher, fd: int, start: int, end: int, path: Path) -> int:
    """Feed the bytes [start, end) of a file to `hasher`, in constant memory.

    Returns:
        The offset reached: less than `end` where the file is shorter.

    Raises:
        StoreError: the disk failed.
    """
    while start < end:
        try:
            piece = os.pread(fd, min(_PIECE, end - start), start)
        except OSError as error:
            raise store_error(error, path, "cannot be read") from error
        if not piece:
            break
        hasher.update(piece)
        start += len(piece)
    return start


def file_matches(fd: int, digest: Digest, path: Path) -> bool:
    """Whether the whole file hashes to `digest`.

    Raises:
        StoreError: the disk failed.
    """
    hasher = digest.hasher()
    hash_range(hasher, fd, 0, status(fd, path).st_size, path)
    return hasher.hexdigest() == digest.hex
