"""A path looked up by the kernel as in a changed root: openat2(2) with RESOLVE_IN_ROOT."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from pathlib import Path

import pytest

_OPENAT2 = 437  # the same on every architecture
_RESOLVE_IN_ROOT = 0x10
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def resolved_in_root(root: Path, path: str) -> str | None:
    """Where the path leads, as a path outside of the root; None where it leads to nothing.

    Skips the test where the kernel has no such call.
    """
    how = struct.pack("QQQ", os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    libc = ctypes.CDLL(None, use_errno=True)
    base = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        fd = libc.syscall(_OPENAT2, base, os.fsencode(path), how, len(how))
    finally:
        os.close(base)
    if fd < 0:
        error = ctypes.get_errno()
        if error in _NOT_THERE:
            return None
        pytest.skip(f"openat2 is not to be had: {os.strerror(error)}")
    try:
        return str(Path(f"/proc/self/fd/{fd}").readlink())
    finally:
        os.close(fd)
