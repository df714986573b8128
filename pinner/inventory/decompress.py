"""A layer's bytes, decompressed as a stream: gzip, zstd, or as they are.

What a layer is, its first bytes say, whatever its media type (image-spec layer.md, RFC 1952, RFC
8878). No other program is started (CVE-2014-9357). Output comes in pieces
of at most `PIECE` bytes, and stops at a total and at a ratio that no honest layer reaches.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

from pinner.inventory.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE: Final = 256 * 1024
TOTAL_LIMIT: Final = 4 * 1024**3
RATIO_LIMIT: Final = 1200
"""gzip reaches 1028; only what is past `RATIO_FREE` bytes is judged."""
RATIO_FREE: Final = 64 * 1024**2
WINDOW_LIMIT: Final = 128 * 1024**2
"""Of a zstd frame: what zstd itself takes unless it is told otherwise."""

GZIP_MEMBERS: Final = 200_000
"""Of one layer; seekable layers have one for each file, and each costs more than its bytes."""
_INPUT: Final = 64 * 1024
_GZIP_WRAPPED: Final = 16 + zlib.MAX_WBITS
_LAST: Final = b"the end of a layer"
_GZIP: Final = b"\x1f\x8b\x08"  # the last byte is the only method there is
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"  # behind one byte, 0x50 to 0x5f
_MAGICS: Final = (
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x5d\x00\x00", "lzma"),
    (b"\x1f\x9d", "compress"),
)


class Source(Protocol):
    """A file to read from its beginning; unbuffered ones will do."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where decompressing stops, in bytes and as a factor."""

    total: int = TOTAL_LIMIT
    ratio: int = RATIO_LIMIT
    ratio_free: int = RATIO_FREE


class Decompressed:
    """The decompressed bytes of one layer; to be iterated once.

    Attributes:
        flaws: what is odd about it but stops nobody, in plain words.
    """

    def __init__(self, source: Source, limits: Limits | None = None) -> None:
        self._source = source
        self._limits = limits or Limits()
        self._taken = 0
        self._given = 0
        self.flaws: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        """Pieces that are not empty.

        Raises:
            Unreadable: corrupt, cut, of an unknown kind, or past a limit.
        """
        start = b""
        while len(start) < _INPUT and (more := self._read(_INPUT - len(start))):
            start += more
        for piece in self._pieces(start):
            self._given += len(piece)
            self._check()
            yield piece

    def _pieces(self, start: bytes) -> Iterator[bytes]:
        if start.startswith(_GZIP):
            return self._gzip(start)
        if start.startswith(_ZSTD) or start[1:4] == _ZSTD_SKIPPABLE:
            return self._zstd(start)
        for magic, name in _MAGICS:
            if start.startswith(magic):
                raise Unreadable(f"it is compressed with {name}, which is not supported")
        return self._plain(start)

    def _plain(self, start: bytes) -> Iterator[bytes]:
        piece = start
        while piece:
            yield piece
            piece = self._read(PIECE)

    def _gzip(self, start: bytes) -> Iterator[bytes]:
        """Every member of a gzip file; zlib checks the sums."""
        data = start
        members = 0
        while data:
            if not data.startswith(_GZIP):
                if len(data) < len(_GZIP) and (more := self._read(_INPUT)):
                    data += more
                    continue
                self._behind(data)
                return
            members += 1
            if members > GZIP_MEMBERS:
                raise Unreadable(f"it has more than {GZIP_MEMBERS} gzip members")
            member = zlib.decompressobj(_GZIP_WRAPPED)
            while not member.eof:
                try:
                    piece = member.decompress(data, PIECE)
                except zlib.error as error:
                    raise Unreadable("its gzip data is corrupt") from error
                if piece:
                    yield piece
                data = member.unconsumed_tail
                if not data and len(piece) < PIECE and not member.eof:
                    data = self._read(_INPUT)
                    if not data:
                        raise Unreadable("its gzip data ends early")
            data = member.unused_data or self._read(_INPUT)

    def _behind(self, data: bytes) -> None:
        """Zeros behind the data are padding; anything else is a flaw."""
        while data:
            if any(data):
                self.flaws.append("bytes that are no gzip follow its gzip data")
                return
            data = self._read(_INPUT)

    def _zstd(self, start: bytes) -> Iterator[bytes]:
        """Every frame of a zstd file; libzstd checks the sums.

        Its reader ends silently where a frame is cut. So one frame more is put behind the file,
        which comes out as it went in only where the file's own frames are whole.
        """
        import zstandard  # noqa: PLC0415 - few layers need it

        reader = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT).stream_reader(
            cast("IO[bytes]", _Extended(start, self._read, zstandard.compress(_LAST))),
            read_size=_INPUT,
            read_across_frames=True,
            closefd=False,
        )
        held = b""
        while True:
            try:
                piece = reader.read(PIECE - len(_LAST))
            except zstandard.ZstdError as error:
                raise Unreadable(_zstd_reason(error)) from error
            if not piece:
                break
            held += piece
            if len(held) > len(_LAST):
                yield held[: -len(_LAST)]
                held = held[-len(_LAST) :]
        if held != _LAST:
            raise Unreadable("its zstd data ends early")

    def _read(self, size: int) -> bytes:
        try:
            data = self._source.read(size)
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from error
        self._taken += len(data)
        return data

    def _check(self) -> None:
        if self._given > self._limits.total:
            raise Unreadable(f"it has more than {self._limits.total} bytes when decompressed")
        if self._given > self._limits.ratio_free and self._given > self._limits.ratio * self._taken:
            raise Unreadable(f"it expands more than {self._limits.ratio} times")


class _Extended:
    """A file whose first bytes were read already, and that has further ones behind it."""

    def __init__(self, start: bytes, read: Callable[[int], bytes], end: bytes) -> None:
        self._start = start
        self._more = read
        self._end = end

    def read(self, size: int) -> bytes:
        """At most `size` bytes."""
        if self._start:
            piece, self._start = self._start[:size], self._start[size:]
        else:
            piece = self._more(size)
            if not piece:
                piece, self._end = self._end[:size], self._end[size:]
        return piece


def _zstd_reason(error: Exception) -> str:
    if "too much memory" in str(error):
        return "its zstd data needs too much memory"
    return "its zstd data is corrupt or ends early"
