"""The fields of tar headers: numbers, texts, checksums and pax records, taken strictly.

    pax record = length " " keyword "=" value newline       length counts the whole record

Numbers are octal digits, with blanks before and a blank or NUL behind, or base-256: the first bit
set, then a two's complement of 95 bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pinner.inventory.unreadable import Unreadable

SIZE_LIMIT: Final = 1 << 62
_DIGITS: Final = re.compile(rb"[0-9]{1,19}")
_LENGTH_DIGITS: Final = 8  # of a record within an extension header


def octal(field: bytes) -> int:
    """The value of an octal field, 0 where it is blank; -1 where it is no number."""
    digits = field.rstrip(b" \0")
    if not digits.isdigit():
        digits = digits.lstrip(b" \0").partition(b"\0")[0].rstrip(b" ")
        if not digits.isdigit():
            return -1 if digits else 0
    try:
        return int(digits, 8)
    except ValueError:  # 8 or 9
        return -1


def number(field: bytes, what: str) -> int:
    """The value of an octal or base-256 field.

    Raises:
        Unreadable: no number, negative, or larger than any file.
    """
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        if field[0] & 0x40:
            raise Unreadable(f"a {what} is negative")
    else:
        value = octal(field)
        if value < 0:
            raise Unreadable(f"a {what} is not a number")
    if value > SIZE_LIMIT:
        raise Unreadable(f"a {what} is too large")
    return value


def text(field: bytes) -> bytes:
    """The bytes before the first NUL."""
    return field.partition(b"\0")[0]


def signed_sum(block: bytes) -> int:
    """The checksum of a header as signed bytes."""
    sealed = block[:148] + b" " * 8 + block[156:]
    return sum(sealed) - 256 * sum(byte >= 0x80 for byte in sealed)  # noqa: PLR2004 - the sign


@dataclass(slots=True)
class Pax:
    """What a pax header says of a member; None where it says nothing."""

    path: bytes | None = None
    link: bytes | None = None
    size: int | None = None
    sparse: bool = False

    @property
    def is_telling(self) -> bool:
        """Whether it names a path, a link or a size."""
        return self.path is not None or self.link is not None or self.size is not None


@dataclass(slots=True)
class Extended:
    """What the extension headers in front of a member say of it."""

    long_name: bytes = b""
    long_link: bytes = b""
    pax: Pax | None = None

    def applied(self, name: bytes, link: bytes, size: int) -> tuple[bytes, bytes, int, bool]:
        """Name, link, size and whether it is sparse, given those of the header itself."""
        sparse = False
        if self.pax is not None:
            name = self.pax.path or name
            link = self.pax.link or link
            size = size if self.pax.size is None else self.pax.size
            sparse = self.pax.sparse
        return self.long_name or name, self.long_link or link, size, sparse


def pax(data: bytes) -> Pax:
    """The records of a pax header that matter here.

    Raises:
        Unreadable: a record is malformed, or a size is no number.
    """
    found = Pax()
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + _LENGTH_DIGITS + 1)
        digits = data[at:space] if space >= 0 else b""
        end = at + int(digits) if _DIGITS.fullmatch(digits) else 0
        equals = data.find(b"=", space, end)
        if not at < end <= len(data) or equals <= space + 1 or data[end - 1] != ord("\n"):
            raise Unreadable("a pax header is malformed")
        _take(found, data[space + 1 : equals], data[equals + 1 : end - 1])
        at = end
    return found


def _take(found: Pax, keyword: bytes, value: bytes) -> None:
    if keyword == b"path":
        found.path = value or found.path
    elif keyword == b"linkpath":
        found.link = value or found.link
    elif keyword == b"size":
        if value:
            found.size = _decimal(value)
    elif keyword.startswith(b"GNU.sparse."):
        found.sparse = True
        if keyword == b"GNU.sparse.name":
            found.path = value or found.path


def _decimal(value: bytes) -> int:
    if not _DIGITS.fullmatch(value) or int(value) > SIZE_LIMIT:
        raise Unreadable("a size in a pax header is not a number of bytes")
    return int(value)
