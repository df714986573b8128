"""Layers' bytes: tar and gzip that come out the same on every machine.

The demo's digests stand in the documentation, so nothing here may depend on the clock, the user or
the version of zlib: members are sorted, times are zero, and gzip only frames the data.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, TypeAlias

_BLOCK: Final = 0xFFFF
_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_PROGRAM: Final = 0o755
_PLAIN: Final = 0o644


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link in a layer."""

    target: str


@dataclass(frozen=True, slots=True)
class Program:
    """A file in a layer that can be run."""

    data: bytes


Tree: TypeAlias = Mapping[str, bytes | Program | Symlink]
"""What a layer holds, by path without a leading slash; folders come by themselves."""


def tar(tree: Tree) -> bytes:
    """An archive of the tree: folders before what is in them, everything root's, time zero."""
    folders = {
        str(parent)
        for path in tree
        for parent in PurePosixPath(path).parents
        if parent != PurePosixPath()
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folders | tree.keys()):
            member = tarfile.TarInfo(path)
            content = b""
            match tree.get(path):
                case None:
                    member.type, member.mode = tarfile.DIRTYPE, _PROGRAM
                case Symlink(target):
                    member.type, member.linkname = tarfile.SYMTYPE, target
                case Program(content):
                    member.mode = _PROGRAM
                case bytes(content):
                    member.mode = _PLAIN
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def gzip(data: bytes) -> bytes:
    """`data` in gzip's format (RFC 1952), in stored blocks: compressors differ, this does not."""
    blocks = bytearray()
    for start in range(0, max(len(data), 1), _BLOCK):
        block = data[start : start + _BLOCK]
        is_last = start + _BLOCK >= len(data)
        blocks += struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block
    return _GZIP_HEADER + blocks + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def noise(seed: str, size: int) -> bytes:
    """`size` bytes that nothing compresses, the same for the same seed."""
    return hashlib.shake_256(seed.encode()).digest(size)
