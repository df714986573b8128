"""From an answer to the bytes of a blob, or of a part of it (distribution-spec, "Pulling blobs").

What the headers promise is checked against the descriptor and the range before any byte is
delivered. Whether the bytes are right is for the reader to say, who hashes them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import IntegrityError, ProtocolError, Unavailable
from pinner.registry.manifests import content_encoding, last_modified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pinner.oci.digest import Buffer
    from pinner.registry.reply import Reply

PARTIAL: Final = 206
RANGE_REFUSALS: Final = frozenset({400, 416})
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)", re.ASCII)


class ReplyStream:
    """A `BlobStream` over an answer of a registry.

    Attributes:
        dated: whether the answerer's word on time counts, as a mirror's does not.
    """

    def __init__(self, reply: Reply, *, source: str, start: int, end: int, ranged: bool) -> None:
        self.dated = True
        self.source = source
        self.start = start
        self.end = end
        self.ranged = ranged
        self._reply = reply

    @property
    def last_modified(self) -> float | None:
        """The registry's own time for the blob; None where somebody else answered."""
        return last_modified(self._reply) if self.dated else None

    def chunks(self) -> Iterator[Buffer]:
        """The bytes [start, end), in pieces that are valid until the next.

        Raises:
            Unavailable: the body ended early, stalled or dripped.
            IntegrityError: more bytes came than the blob has, or fewer since somebody on the way
                compressed them.
        """
        size = left = self.end - self.start
        where, encoded = str(self._reply.url), _on_the_way(self._reply)
        # Where no length was announced, the last byte waits for the end of the body: whether the
        # sender is caught at sending more must not depend on how the network cut the pieces.
        held = b""
        for piece in self._reply.chunks():
            left -= len(piece)
            if left < 0:
                raise IntegrityError(
                    f"{self.source} sends more than the {size} bytes that were asked for{encoded}",
                    where=where,
                )
            if piece and not left and self._reply.content_length is None:
                held = bytes(piece[-1:])
                piece = piece[:-1]  # noqa: PLW2901 - what goes on
            if piece:
                yield piece
        if held:
            yield held
        if left and encoded:
            raise IntegrityError(
                f"{self.source} sends less than the {size} bytes that were asked for{encoded}",
                where=where,
            )
        if left:
            raise Unavailable(f"the blob ended {left} bytes before its end", where=where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reply.close()


def whole_blob(reply: Reply, *, source: str, size: int) -> ReplyStream:
    """The stream of an answer (200) that carries a whole blob of `size` bytes.

    Raises:
        IntegrityError: the announced length is another one.
    """
    length = reply.content_length
    if length is not None and length != size:
        raise IntegrityError(
            f"{source} offers {length} bytes for a blob of {size}{_on_the_way(reply)}",
            where=str(reply.url),
        )
    return ReplyStream(reply, source=source, start=0, end=size, ranged=False)


def part_of_blob(reply: Reply, *, source: str, start: int, end: int, size: int) -> ReplyStream:
    """The stream of an answer to a request for the bytes [start, end) of a blob.

    A 200 carries the whole blob, as whoever ignores the range may do.

    Raises:
        ProtocolError: the range is refused (400, 416), or another one came: this registry is
            better asked for whole blobs.
        IntegrityError: a 200 whose announced length is not the blob's.
    """
    if reply.status in RANGE_REFUSALS:
        raise ProtocolError(f"{source} refuses ranges ({reply.status})", where=str(reply.url))
    if reply.status != PARTIAL:
        return whole_blob(reply, source=source, size=size)
    stated = _CONTENT_RANGE.fullmatch(reply.headers.get("content-range", "").strip().lower())
    right = (
        stated is not None
        and (int(stated[1]), int(stated[2]) + 1) == (start, end)
        and stated[3] in {"*", str(size)}
        and reply.content_length in {None, end - start}
    )
    if not right:
        raise ProtocolError(f"{source} answers with another range", where=str(reply.url))
    return ReplyStream(reply, source=source, start=start, end=end, ranged=True)


def _on_the_way(reply: Reply) -> str:
    """What explains a wrong length: the blob was compressed on the way, though nobody asked."""
    encoding = content_encoding(reply)
    return f", encoded on the way ({encoding})" if encoding else ""
