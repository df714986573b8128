"""rpm's header: what its database keeps of a package (rpm's manual, "RPM v4 header format").

    number of index entries, bytes of data        two integers
    (tag, type, offset into the data, count)      four integers an entry
    data

Integers are of 32 bits, big-endian. Texts end with a zero byte, an array of texts is one behind the
other. Only the wanted tags are looked at; every offset and count is checked before it is used.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Final

_HEAD: Final = struct.Struct(">II")
_ENTRY: Final = struct.Struct(">IIII")
_ENTRIES_LIMIT: Final = 0xFFFF  # rpm's own
_ARRAY_LIMIT: Final = 20_000
_INT32, _STRING, _STRINGS = 4, 6, 8
_NAME, _VERSION, _RELEASE, _EPOCH = 1000, 1001, 1002, 1003
_ARCHITECTURE, _SOURCE = 1022, 1044
_LOG_NAMES, _LOG_TEXTS = 1081, 1082
_TYPES: Final = {
    _NAME: _STRING,
    _VERSION: _STRING,
    _RELEASE: _STRING,
    _EPOCH: _INT32,
    _ARCHITECTURE: _STRING,
    _SOURCE: _STRING,
    _LOG_NAMES: _STRINGS,
    _LOG_TEXTS: _STRINGS,
}


_SOURCE_FILE: Final = re.compile(r"(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm")


class BadHeader(ValueError):  # noqa: N818 - counted, never shown
    """Bytes that are not a header."""


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    count: int


class Header:
    """One header; a text that is not in it is empty, bytes that are not UTF-8 are surrogates.

    Raises:
        BadHeader: by the constructor and by every attribute.
    """

    def __init__(self, blob: bytes) -> None:
        if len(blob) < _HEAD.size:
            raise BadHeader
        entries, size = _HEAD.unpack_from(blob)
        data = _HEAD.size + entries * _ENTRY.size
        if entries > _ENTRIES_LIMIT or data + size != len(blob):
            raise BadHeader
        self._blob = blob
        self._places: dict[int, _Place] = {}
        for tag, kind, offset, count in _ENTRY.iter_unpack(blob[_HEAD.size : data]):
            if tag in _TYPES:
                if kind != _TYPES[tag] or tag in self._places:
                    raise BadHeader
                self._places[tag] = _Place(data + offset, count)

    @property
    def name(self) -> str:
        """`bash`."""
        return self._text(_NAME)

    @property
    def version(self) -> str:
        """`[epoch:]version-release`; an epoch of zero is left out."""
        epoch, version, release = self._number(_EPOCH), self._text(_VERSION), self._text(_RELEASE)
        if not (version and release):
            raise BadHeader
        return f"{epoch}:{version}-{release}" if epoch else f"{version}-{release}"

    @property
    def architecture(self) -> str:
        """`x86_64`, `noarch`."""
        return self._text(_ARCHITECTURE)

    @property
    def source(self) -> str:
        """The file name of the source package: `bash-5.1.8-6.el9.src.rpm`."""
        return self._text(_SOURCE)

    @property
    def changelog(self) -> list[tuple[str, str]]:
        """(who, and often which version; what), the newest first."""
        return list(zip(self._texts(_LOG_NAMES), self._texts(_LOG_TEXTS), strict=False))

    def _number(self, tag: int) -> int:
        place = self._places.get(tag)
        if place is None:
            return 0
        number = self._blob[place.start : place.start + 4]
        if place.count != 1 or len(number) != 4:  # noqa: PLR2004 - bytes of an integer
            raise BadHeader
        return int.from_bytes(number, "big")

    def _text(self, tag: int) -> str:
        texts = self._texts(tag)
        if len(texts) > 1:
            raise BadHeader
        return texts[0] if texts else ""

    def _texts(self, tag: int) -> list[str]:
        place = self._places.get(tag)
        if place is None:
            return []
        if place.count > _ARRAY_LIMIT:
            raise BadHeader
        texts = []
        start = place.start
        for _ in range(place.count):
            end = self._blob.find(b"\0", start)
            if end < 0:
                raise BadHeader
            texts.append(self._blob[start:end].decode("utf-8", "surrogateescape"))
            start = end + 1
        return texts


def source_of(file: str) -> tuple[str, str]:
    """Name and version of a source package's file `bash-5.1.8-6.el9.src.rpm`; empty of others."""
    match = _SOURCE_FILE.fullmatch(file)
    return (match[1], match[2]) if match else ("", "")
