"""One HTTP/1.1 request and its answer over a stream.

h11 judges every head and every chunked or close-delimited body. A body of known length, which is
what blobs are, goes from the socket into one buffer that is lent to the reader piece by piece:
httpcore's own connection copies it three times more while it holds the interpreter's lock, which
halves the speed of several downloads at once (docs/performance.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import h11

from pinner.errors import ProtocolError, Unavailable
from pinner.registry.sockets import ConnectionLost
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pinner.oci.digest import Buffer
    from pinner.registry.sockets import Stream

_HEAD_LIMIT: Final = 100 * 1024
_HEAD_READ: Final = 16 * 1024  # what comes behind the head in this piece is copied once more
_INTERIM_LIMIT: Final = 64
_NO_TIME: Final = 0.001
_SMALL_PIECE: Final = 32 * 1024
_BODILESS: Final = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: for TCP, and again for a TLS handshake.
        answer: from the request to the end of the answer's head.
        silence: between two pieces of a body.
    """

    connect: float = 10
    answer: float = 60
    silence: float = 30


class Answer:
    """The head of an answer and, by iteration, its body.

    Pieces of the body are valid until the next one is asked for. `close` must be called; it tells
    whether the connection can carry another request, and never waits for a body.
    """

    def __init__(
        self,
        head: h11.Response,
        parser: h11.Connection,
        stream: Stream,
        *,
        without_body: bool,
        buffer: memoryview,
        silence: float,
        monotonic: Callable[[], float],
        ended: Callable[[bool], None],
    ) -> None:
        """Take over a stream whose answer's head was just read.

        Args:
            head: the final head.
            parser: has read `head` and whatever came right behind it.
            stream: what brings the rest of the body.
            without_body: this answers a HEAD request.
            buffer: takes the body's pieces in turn.
            silence: seconds to wait for each piece.
            monotonic: a clock for that.
            ended: called once, with whether the stream can be used again.
        """
        self.head = head
        self._parser = parser
        self._stream = stream
        self._buffer = buffer
        self._silence = silence
        self._monotonic = monotonic
        self._ended = ended
        self._closed = False
        # What h11 holds behind the head is the body's beginning; the rest is still in the socket.
        self._early, _ = parser.trailing_data
        self._left = 0 if without_body else _length(head)

    def __iter__(self) -> Iterator[Buffer]:
        """The body's pieces, in order.

        Raises:
            Unavailable: the body broke off, or nothing came for too long.
            ProtocolError: the framing is broken.
        """
        return self._framed() if self._left is None else self._counted()

    def close(self) -> None:
        """Be done with the answer, whether or not its body was read."""
        if self._closed:
            return
        self._closed = True
        if self._left is None:
            surplus, ended = self._parser.trailing_data
            over = self._parser.their_state is h11.DONE and not surplus and not ended
        else:
            # A short body that came along with its head needs no reading to be over.
            over = self._left == len(self._early)
        # Not DONE: the connection is to be closed, or a part of the request was never sent.
        self._ended(over and self._parser.our_state is h11.DONE)

    def _counted(self) -> Iterator[Buffer]:
        early, self._early = self._early, b""
        left = self._left or 0
        if early:
            self._left = left - len(early)  # below zero: more came than was announced
            if left:
                yield early[:left]
            left = self._left
        while left > 0:
            count = self._stream.receive_into(self._buffer[:left], timeout=self._silence)
            if not count:
                raise Unavailable(f"the answer broke off {left} bytes before its end")
            self._left = left = left - count
            yield self._buffer[:count]

    def _framed(self) -> Iterator[Buffer]:
        while True:
            # A deadline for each event: chunk headers and trailers are no events, so that a server
            # could drip them for ever.
            event = _next_event(
                self._parser, self._stream, self._buffer, _countdown(self._silence, self._monotonic)
            )
            if isinstance(event, h11.Data):
                yield event.data
            else:
                return


def exchange(
    stream: Stream,
    request: h11.Request,
    body: Iterable[Buffer],
    *,
    buffer: memoryview,
    timeouts: Timeouts,
    monotonic: Callable[[], float],
    ended: Callable[[bool], None],
    slack: float = 0,
) -> Answer:
    """Send a request and read the head of its answer; interim answers (1xx) are skipped.

    Args:
        stream: a connection that carries no other request.
        request: the head, with the length of the body.
        body: its pieces, each valid until the next; sent as they come, so that a large body is
            never held. Not all of them are asked for where the answer comes early.
        buffer: takes pieces of the answer.
        timeouts: how long to wait for what.
        monotonic: a clock for that.
        ended: called once, with whether the stream can be used again.
        slack: seconds on top of `timeouts.answer`, for a request that takes long.

    Raises:
        ConnectionLost: it ended or broke before a complete head came.
        Unavailable: no complete head came in time.
        ProtocolError: what came is not an HTTP/1.1 answer, or its head is too large.
    """
    parser = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
    early = _send(parser, stream, request, body, buffer=buffer, silence=timeouts.silence)
    seconds_left = _countdown(timeouts.answer + slack, monotonic)
    for _ in range(_INTERIM_LIMIT):
        event = early or _next_event(parser, stream, buffer[:_HEAD_READ], seconds_left)
        if isinstance(event, h11.Response):
            return Answer(
                event,
                parser,
                stream,
                without_body=request.method == b"HEAD",
                buffer=buffer,
                silence=timeouts.silence,
                monotonic=monotonic,
                ended=ended,
            )
    raise ProtocolError(f"{stream.peer} sent more than {_INTERIM_LIMIT} interim answers")


def _send(
    parser: h11.Connection,
    stream: Stream,
    request: h11.Request,
    body: Iterable[Buffer],
    *,
    buffer: memoryview,
    silence: float,
) -> h11.Response | None:
    """Send a request; the answer where one came before the body was sent (401, 413).

    Whoever answers early reads no more, and may close the connection: what is left of the body is
    not sent then. Small pieces go together with the head, as one segment.
    """
    waiting = bytearray(parser.send(request) or b"")
    try:
        for part in body:
            # Only counted: a body of announced length is sent as it is.
            parser.send_with_data_passthrough(h11.Data(data=cast("bytes", part)))
            if len(part) < _SMALL_PIECE:
                waiting += part
                continue
            if (early := _answered(parser, stream, buffer[:_HEAD_READ])) is not None:
                return early
            if waiting:
                stream.send(waiting, timeout=silence)
                waiting = bytearray()
            stream.send(part, timeout=silence)
        waiting += parser.send(h11.EndOfMessage()) or b""
        if waiting:
            stream.send(waiting, timeout=silence)
    except ConnectionLost:
        # It may have broken since the server had said what it had to say.
        if (early := _answered(parser, stream, buffer[:_HEAD_READ])) is not None:
            return early
        raise
    return None


def _answered(parser: h11.Connection, stream: Stream, buffer: memoryview) -> h11.Response | None:
    """The head of an answer that is there already; interim answers are skipped."""
    count = stream.receive_at_hand(buffer)
    if count is None:
        return None
    if not count:
        raise ConnectionLost(f"{stream.peer} closed the connection without an answer")
    parser.receive_data(bytes(buffer[:count]))
    try:
        while (event := parser.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Response):
                return event
    except h11.RemoteProtocolError as error:
        raise _not_http(stream, error) from error
    return None


def _not_http(stream: Stream, error: Exception) -> ProtocolError:
    return ProtocolError(f"{stream.peer} does not speak HTTP/1.1 as it should: {safe(str(error))}")


def _countdown(seconds: float, monotonic: Callable[[], float]) -> Callable[[], float]:
    """What is left of `seconds` from now; always a little, since 0 would mean not to wait."""
    deadline = monotonic() + seconds
    return lambda: max(deadline - monotonic(), _NO_TIME)


def _next_event(
    parser: h11.Connection, stream: Stream, buffer: memoryview, seconds_left: Callable[[], float]
) -> h11.Event | type[h11.PAUSED]:
    """The next event of an answer, which is received as far as that needs."""
    over = False
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError as error:
            if over:
                raise Unavailable(f"{stream.peer} closed the connection too early") from error
            raise _not_http(stream, error) from error
        if event is not h11.NEED_DATA:
            return cast("h11.Event | type[h11.PAUSED]", event)
        count = stream.receive_into(buffer, timeout=seconds_left())
        over = not count
        if over and parser.their_state is h11.SEND_RESPONSE:
            raise ConnectionLost(f"{stream.peer} closed the connection without an answer")
        parser.receive_data(bytes(buffer[:count]))


def _length(head: h11.Response) -> int | None:
    """The announced length of a body; None where its framing tells its end."""
    if head.status_code in _BODILESS:
        return 0
    headers = dict(head.headers)
    if b"transfer-encoding" in headers or b"content-length" not in headers:
        return None
    return int(headers[b"content-length"])  # h11 has checked it
