"""The frame of a tar: headers that say nothing of clock, user or machine.

POSIX ustar; a size of 8 GiB or more, and the 128 digits of a sha512 blob, go into a pax record in
front (POSIX.1-2001 pax), which all readers of archives know.
"""

from __future__ import annotations

import tarfile
from typing import Final

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
_MODE: Final = 0o444  # as blobs have it in a store


def header(name: str, size: int) -> bytes:
    """The header of a regular file of root's, read-only, of the epoch."""
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = _MODE
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """What fills the last block of a file of `size` bytes."""
    return bytes(-size % BLOCK)


def padded(size: int) -> int:
    """The bytes of whole blocks that hold `size` bytes."""
    return size + -size % BLOCK
