"""What a registry's bytes are taken for by our own reading of HTTP, beside two other readers."""

from __future__ import annotations

import http.client
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import h11

from fuzz.target import Target, printable, spliced
from pinner.errors import RegistryError
from pinner.registry.http11 import Timeouts, exchange

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from pinner.registry.sockets import Stream

_METHODS: Final = ("GET", "HEAD")
_HEAD_LIMIT: Final = 100 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a reader takes an answer for.

    Attributes:
        status: 0 where there was no head.
        body: as far as it came.
        whole: whether it ended as its framing says.
        reusable: whether another answer may follow on the connection.
    """

    status: int = 0
    body: bytes = b""
    whole: bool = False
    reusable: bool = False


class _Wire:
    """A connection that delivers bytes in pieces, and ends."""

    peer = "registry.example:443"

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step

    def send(self, data: bytes, *, timeout: float) -> None:
        """Swallow the request."""

    def receive_at_hand(self, _view: memoryview) -> int | None:
        return None

    def receive_into(self, view: memoryview, *, timeout: float) -> int:
        count = min(self._step, len(view))
        piece, self._data = self._data[:count], self._data[count:]
        view[: len(piece)] = piece
        return len(piece)


def framing(data: bytes) -> None:
    """An answer: in any pieces the same, and what h11 alone makes of it; never another body."""
    choice, rest = spliced(data, len(_METHODS))
    method = _METHODS[choice]
    found = _ours(rest, method, len(rest) or 1)
    for step in (1, 7):
        assert _same(_ours(rest, method, step), found), f"pieces of {step} make another answer"
    told = _by_h11(rest, method)
    assert (found.status, found.body, found.whole) == (told.status, told.body, told.whole)
    assert told.reusable or not found.reusable, "a connection is kept that may hold other bytes"
    other = _by_http_client(rest, method)
    # http.client knows neither a tab behind a value nor one that goes on in the next line.
    plain = b"\t" not in rest and b"\n " not in rest
    if plain and found.whole and other.whole and other.status == found.status:
        assert found.body == other.body, "two readers see two bodies"


def _same(one: _Read, other: _Read) -> bool:
    """Whether two readings are the same; bytes that come late cannot tell of reuse."""
    return (one.status, one.body, one.whole) == (other.status, other.body, other.whole)


def _ours(data: bytes, method: str, step: int) -> _Read:
    status, body, whole = 0, b"", False
    kept: list[bool] = []
    try:
        answer = exchange(
            cast("Stream", _Wire(data, step)),
            h11.Request(method=method, target="/", headers=[("Host", "x")]),
            (),
            buffer=memoryview(bytearray(20_000)),
            timeouts=Timeouts(),
            monotonic=lambda: 0.0,
            ended=kept.append,
        )
        status = answer.head.status_code
        try:
            for piece in answer:
                body += piece
            whole = True
        finally:
            answer.close()
    except RegistryError as error:
        printable(error.what)
    assert len(kept) == (status > 0)
    return _Read(status=status, body=body, whole=whole, reusable=kept == [True])


def _by_h11(data: bytes, method: str) -> _Read:
    reader = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
    reader.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    status, body, interim, fed = 0, b"", 0, False
    reader.receive_data(data)
    try:
        while True:
            event = reader.next_event()
            if event is h11.NEED_DATA and not fed:
                reader.receive_data(b"")
                fed = True
            elif isinstance(event, h11.InformationalResponse):
                interim += 1
                if interim == 64:
                    return _Read()
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                break
    except h11.RemoteProtocolError:
        return _Read(status=status, body=body)
    ended = isinstance(event, h11.EndOfMessage)
    clean = reader.their_state is h11.DONE is reader.our_state and not reader.trailing_data[0]
    return _Read(status=status, body=body, whole=ended, reusable=ended and clean)


class _Socket:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _by_http_client(data: bytes, method: str) -> _Read:
    reader = http.client.HTTPResponse(cast("socket.socket", _Socket(data)), method=method)
    try:
        reader.begin()
        return _Read(status=reader.status, body=reader.read(), whole=True)
    except (http.client.HTTPException, ValueError, OSError):
        return _Read()


def _seeds() -> Iterator[bytes]:
    ok = b"\0HTTP/1.1 200 OK\r\n"
    yield ok + b"Content-Length: 5\r\n\r\nhello"
    yield ok + b"Content-Length: 9\r\n\r\nhello"
    yield ok + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello-and-more"
    yield ok + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n"
    yield ok + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    yield ok + b"Content-Type: text/plain\r\n\r\nuntil the end"
    yield ok + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    yield b"\0HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    yield b"\0HTTP/1.0 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
    yield b"\1HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
    yield b"\0HTTP/1.1 206\r\nContent-Range: bytes 0-4/9\r\nContent-Length: 5\r\n\r\nhello"


TARGETS: Final = (
    Target(
        name="framing",
        about="answers on the wire: any pieces, one body; h11 and http.client see no other",
        run=framing,
        seeds=_seeds,
        tokens=(
            *(
                b"HTTP/1.1 200 OK\r\n",
                b"HTTP/1.0 ",
                b"\r\n\r\n",
                b"\r\n",
                b"\n",
                b"Content-Length: ",
            ),
            *(
                b"Transfer-Encoding: ",
                b"chunked",
                b"identity",
                b"gzip, chunked",
                b"0\r\n\r\n",
                b";",
            ),
            *(
                b"Connection: close\r\n",
                b"5\r\nhello\r\n",
                b"FFFFFFFF\r\n",
                b"+5",
                b" ",
                b"\t",
                b"5, 5",
            ),
            *(b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 304 x\r\n", b"\0", b"\x80", b"-1"),
        ),
    ),
)
