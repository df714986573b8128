"""Tar archives and layers made byte by byte, so that they can be wrong in any way."""

from __future__ import annotations

import gzip
import itertools
from typing import TYPE_CHECKING

from pinner.inventory.contents import Layer
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 512
END = bytes(2 * BLOCK)
USTAR = b"ustar\x0000"
GNU = b"ustar  \x00"
V7 = bytes(8)
GZIP_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"

_numbers = itertools.count()


def header(
    name: bytes,
    *,
    size: int = 0,
    kind: bytes = b"0",
    link: bytes = b"",
    magic: bytes = USTAR,
    prefix: bytes = b"",
    size_field: bytes | None = None,
    tail: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """One header block; `tail` stands at its end, `checksum` replaces the right one."""
    block = bytearray(BLOCK)
    block[0 : len(name)] = name
    block[100:124] = b"0000644\x000000000\x000000000\x00"
    block[124:136] = size_field or b"%011o\x00" % size
    block[136:148] = b"00000000000\x00"
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = magic
    block[345 : 345 + len(prefix)] = prefix
    if tail:
        block[-len(tail) :] = tail
    block[148:156] = b"%06o\x00 " % sum(block) if checksum is None else checksum
    return bytes(block)


def padded(data: bytes) -> bytes:
    """Data filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes = b"", *, kind: bytes = b"0", link: bytes = b"") -> bytes:
    """A member in ustar's form."""
    return header(name, size=len(data), kind=kind, link=link) + padded(data)


def record(keyword: bytes, value: bytes) -> bytes:
    """One pax record: its length counts its own digits."""
    rest = b" " + keyword + b"=" + value + b"\n"
    length = len(rest)
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def pax(*records: bytes, kind: bytes = b"x") -> bytes:
    """A pax header of these records."""
    return member(b"PaxHeaders/x", b"".join(records), kind=kind)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    """GNU's extension for a long name (`L`) or a link's long target (`K`)."""
    return header(b"././@LongLink", size=len(name) + 1, kind=kind, magic=GNU) + padded(
        name + b"\x00"
    )


def symlink(name: bytes, target: bytes) -> bytes:
    """A symbolic link."""
    return member(name, kind=b"2", link=target)


def hard_link(name: bytes, target: bytes) -> bytes:
    """A further name of a file."""
    return member(name, kind=b"1", link=target)


def archive(*members: bytes) -> bytes:
    """A whole archive."""
    return b"".join(members) + END


def layer_of(folder: Path, data: bytes, media_type: str = GZIP_TYPE) -> Layer:
    """A layer whose file, in `folder`, holds exactly these bytes."""
    path = folder / f"blob-{next(_numbers)}"
    path.write_bytes(data)
    descriptor = Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))
    return Layer(descriptor=descriptor, path=path)


def gzip_layer(folder: Path, *members: bytes) -> Layer:
    """A gzip layer of these members."""
    return layer_of(folder, gzip.compress(archive(*members), 1, mtime=0))


def status(**versions: str) -> bytes:
    """dpkg's database of these packages."""
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
        f"Version: {version}\n\n"
        for name, version in versions.items()
    ).encode()
