"""Reads the headers of a tar archive as a stream, and the data of the members that are wanted.

    archive = { header data } end            all in blocks of 512 bytes
    header  = { pax or GNU extension } block

POSIX ustar and pax (IEEE Std 1003.1, "pax"), GNU tar's extensions (long names, base-256 numbers,
old sparse files) and V7. Where parsers differ, this one does as Go's archive/tar, which the
container runtimes unpack layers with:

- The archive ends at the first block of zeros, or where the bytes end between two members.
- Links, folders, devices and FIFOs have no data, whatever their size field says.
- Of several pax headers in a row the last one counts; an empty value leaves the header's own.
- A global pax header applies to nothing. One that names a path, a link or a size is a flaw, since
  other parsers apply it.
- GNU's long names go before pax paths. A V7 file whose name ends with "/" is a folder.
- A wrong checksum, a number that is none, a negative size: the archive is bad from there on.

Nothing is buffered but one extension header (at most `EXTENSION_LIMIT`) and wanted data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import adler32

from pinner.inventory import tarfields
from pinner.inventory.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

BLOCK: Final = 512
EXTENSION_LIMIT: Final = 1 << 20
MEMBER_LIMIT: Final = 1_000_000
_SPARSE_BLOCKS: Final = 64 * 1024  # of 21 entries each: more than any real file has

HARD_LINK: Final = b"1"
SYMLINK: Final = b"2"
FOLDER: Final = b"5"
FILE: Final = b"0"
_CONTIGUOUS: Final = b"7"
_OLD_SPARSE: Final = b"S"
_DATALESS: Final = frozenset(b"123456")
_EXTENSIONS: Final = frozenset(b"xXgLK")
_LINKS: Final = frozenset(b"12")
_CHECKSUM: Final = slice(148, 156)
_BLANKS: Final = 8 * 0x20  # what the checksum itself counts as
_LOW: Final = 0xFFFF
_ROUND: Final = BLOCK - 1


class Member(NamedTuple):
    """One member of an archive.

    Attributes:
        name: as it stands there, in whatever encoding.
        kind: the type flag: `FILE`, `HARD_LINK`, `SYMLINK`, `FOLDER`, or one of the others.
        link: what a link points to, as it stands there.
        size: bytes of data in the archive; 0 where the kind has none.
        sparse: whether the data is only the parts of the file that are no holes.
        data: all of it where it was wanted, else None.
    """

    name: bytes
    kind: bytes
    link: bytes
    size: int
    sparse: bool
    data: bytes | None


class Tar:
    """The members of one archive, in its order; to be iterated once.

    Attributes:
        flaws: what is odd about the archive but stops nobody, in plain words.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        wants: Callable[[bytes, int], bool],
        interests: Callable[[bytes], bool] | None = None,
    ) -> None:
        """Read from `chunks`, the archive's bytes in pieces of any size.

        Args:
            chunks: is read to its end, also behind the archive's own.
            wants: whether the data of a regular file is wanted, by its name and size.
            interests: names of members to yield; the others are skipped. None yields all.
        """
        self._chunks = iter(chunks)
        self._wants = wants
        self._interests = interests
        self._buffer = b""
        self._at = 0
        self._before = 0  # bytes of the archive in front of the buffer
        self.flaws: list[str] = []

    def __iter__(self) -> Iterator[Member]:
        """All members that are of interest.

        Raises:
            Unreadable: the archive is bad or ends early; members before that were yielded.
        """
        interests = self._interests
        extended: tarfields.Extended | None = None
        members = 0
        while (block := self._header()) is not None:
            members += 1
            if members > MEMBER_LIMIT:
                raise Unreadable(f"it has more than {MEMBER_LIMIT} members")
            if block[156] in _EXTENSIONS:
                extended = self._extended(block, extended)
                continue
            member = _parsed(block, extended)
            extended = None
            if member.kind == _OLD_SPARSE:
                self._skip_sparse_map(block)
            if interests is None or interests(member.name):
                yield self._with_data(member)
            else:
                self._at += (member.size + _ROUND) & ~_ROUND
        if extended is not None:
            raise Unreadable("it ends behind an extension header")

    def _header(self) -> bytes | None:
        """The next header; None at the archive's end.

        Raises:
            Unreadable: its checksum is wrong, or the bytes end within it.
        """
        at = self._at
        block = self._buffer[at : at + BLOCK]
        if len(block) == BLOCK:
            self._at = at + BLOCK
        elif self._advance():
            block = self._read(BLOCK, "a header")
        else:
            return None
        # Adler's low half is the plain sum of up to 256 bytes, at a tenth of the cost of sum().
        total = (adler32(block[:256], 0) & _LOW) + (adler32(block[256:], 0) & _LOW)
        if total == 0:
            self._drain()
            return None
        sealed = block[_CHECKSUM]
        if total - sum(sealed) + _BLANKS != tarfields.octal(sealed):
            self._check_signed(block)
        return block

    def _with_data(self, member: Member) -> Member:
        if member.kind == _OLD_SPARSE:
            member = member._replace(kind=FILE)
        padding = -member.size % BLOCK
        if member.kind == FILE and not member.sparse and self._wants(member.name, member.size):
            member = member._replace(data=self._read(member.size, "a member"))
            self._at += padding
        else:
            self._at += member.size + padding
        return member

    def _advance(self) -> bool:
        """Go on to the chunk that holds the position; whether there is one.

        Raises:
            Unreadable: the bytes end before the position.
        """
        while self._at >= len(self._buffer):
            self._at -= len(self._buffer)
            self._before += len(self._buffer)
            self._buffer = next(self._chunks, b"")
            if not self._buffer:
                if self._at:
                    raise Unreadable("it ends within a member")
                return False
        return True

    def _read(self, size: int, where: str) -> bytes:
        """The next `size` bytes, and the position behind them.

        Raises:
            Unreadable: the bytes end before, within what `where` says.
        """
        data = self._some(size)
        if len(data) < size:
            raise Unreadable(f"it ends within {where}")
        return data

    def _some(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are."""
        pieces = []
        while size and self._advance():
            piece = self._buffer[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _drain(self) -> None:
        """Read to the end, so that checksums behind it are checked."""
        if any(self._some(BLOCK)):
            self.flaws.append("its end mark is a single block, with other bytes behind it")
        self._buffer = b""
        for _ in self._chunks:
            pass

    def _check_signed(self, block: bytes) -> None:
        """Accept a checksum of signed bytes, as some old writers made it."""
        if tarfields.signed_sum(block) != tarfields.octal(block[_CHECKSUM]):
            where = self._before + self._at - BLOCK
            raise Unreadable(
                f"the header at byte {where} has a wrong checksum" if where else "it is no tar"
            )

    def _extended(
        self, block: bytes, extended: tarfields.Extended | None
    ) -> tarfields.Extended | None:
        """What the extensions in front of a member say, with this one taken in."""
        size = tarfields.number(block[124:136], "size")
        if size > EXTENSION_LIMIT:
            raise Unreadable(f"an extension header has {size} bytes, more than {EXTENSION_LIMIT}")
        data = self._read(size, "an extension header")
        self._at += -size % BLOCK
        flag = block[156:157]
        if flag == b"g":
            if tarfields.pax(data).is_telling:
                self.flaws.append("a global header names a path, a link or a size: not applied")
            return extended
        if extended is None:
            extended = tarfields.Extended()
        if flag == b"L":
            extended.long_name = tarfields.text(data)
        elif flag == b"K":
            extended.long_link = tarfields.text(data)
        else:
            extended.pax = tarfields.pax(data)
        return extended

    def _skip_sparse_map(self, block: bytes) -> None:
        """Skip the blocks that continue the map of an old GNU sparse file."""
        goes_on = block[482]
        for _ in range(_SPARSE_BLOCKS):
            if not goes_on:
                return
            goes_on = self._read(BLOCK, "the map of a sparse file")[504]
        raise Unreadable("the map of a sparse file is too long")


def _parsed(block: bytes, extended: tarfields.Extended | None) -> Member:
    """The member of a header, given the extensions in front of it."""
    flag = block[156]
    kind = block[156:157]
    name = block[: block.find(0, 0, 100)] if block[99] == 0 else tarfields.text(block[:100])
    if block[345] and block[257:263] == b"ustar\0":
        name = tarfields.text(block[345:500]) + b"/" + name
    size = tarfields.number(block[124:136], "size")
    link = tarfields.text(block[157:257]) if flag in _LINKS else b""
    sparse = kind == _OLD_SPARSE
    if extended is not None:
        name, link, size, is_holed = extended.applied(name, link, size)
        sparse = sparse or is_holed
    if flag == 0:
        kind = FOLDER if name.endswith(b"/") else FILE
    elif kind == _CONTIGUOUS:
        kind = FILE
    if flag in _DATALESS or kind == FOLDER:
        size = 0
    return Member(name, kind, link, size, sparse, None)
