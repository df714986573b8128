"""HTTP/1.1 over a stream that delivers its bytes in whatever pieces: the verdict is the same."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import ProtocolError, RegistryError, Unavailable
from pinner.registry.http11 import Answer, Timeouts, exchange
from pinner.registry.sockets import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.registry.sockets import Stream

BODY = bytes(range(256)) * 200
CHUNKS = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:40_000]))
CHUNKED_BODY = BODY[:40_000]


@dataclass
class FakeStream:
    """Answers with `data`, cut into pieces of the given sizes, in turn; then it has ended.

    After so many sends as `early` says, its bytes are there at once; at `breaks_at`, sending fails.
    """

    data: bytes
    sizes: list[int] = field(default_factory=lambda: [1 << 20])
    peer: str = "fake:80"
    sent: bytes = b""
    reads: int = 0
    sends: int = 0
    early: dict[int, bytes] = field(default_factory=dict)
    breaks_at: int | None = None

    def send(self, data: bytes, *, timeout: float) -> None:
        if self.sends == self.breaks_at:
            raise ConnectionLost("broke")
        self.sends += 1
        self.sent += data

    def receive_at_hand(self, view: memoryview) -> int | None:
        piece = self.early.pop(self.sends, None)
        if piece is None:
            return None
        view[: len(piece)] = piece
        return len(piece)

    def receive_into(self, view: memoryview, *, timeout: float) -> int:
        size = min(self.sizes[self.reads % len(self.sizes)], len(view))
        self.reads += 1
        piece, self.data = self.data[:size], self.data[size:]
        view[: len(piece)] = piece
        return len(piece)


@dataclass
class Verdict:
    """What became of an exchange: body or error, and whether the stream can be used again."""

    status: int = 0
    body: bytes = b""
    error: type[RegistryError] | None = None
    reusable: list[bool] = field(default_factory=list)


def judge(stream: FakeStream, method: str = "GET", *, read: bool = True) -> Verdict:
    verdict = Verdict()
    try:
        answer = ask(stream, verdict, method)
        verdict.status = answer.head.status_code
        try:
            if read:
                for piece in answer:
                    verdict.body += piece
        finally:
            answer.close()
    except RegistryError as error:
        verdict.error = type(error)
    return verdict


def ask(stream: FakeStream, verdict: Verdict, method: str = "GET") -> Answer:
    return exchange(
        cast("Stream", stream),
        h11.Request(method=method, target="/", headers=[("Host", "fake")]),
        (),
        buffer=memoryview(bytearray(20_000)),
        timeouts=Timeouts(),
        monotonic=lambda: 0.0,
        ended=verdict.reusable.append,
    )


def head(*headers: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", *headers, "", ""]).encode()


SIZED = head(f"Content-Length: {len(BODY)}") + BODY
CASES = {
    "length": (SIZED, Verdict(200, BODY, None, [True])),
    "length-close": (
        head(f"Content-Length: {len(BODY)}", "Connection: close") + BODY,
        Verdict(200, BODY, None, [False]),
    ),
    "H21-http-1.0": (
        head(f"Content-Length: {len(BODY)}", version="1.0") + BODY,
        Verdict(200, BODY, None, [False]),
    ),
    "chunked": (
        head("Transfer-Encoding: chunked") + CHUNKS + b"0\r\n\r\n",
        Verdict(200, CHUNKED_BODY, None, [True]),
    ),
    "trailers": (
        head("Transfer-Encoding: chunked") + CHUNKS + b"0\r\nTrailer: x\r\n\r\n",
        Verdict(200, CHUNKED_BODY, None, [True]),
    ),
    "until-close": (head() + BODY, Verdict(200, BODY, None, [False])),
    "204": (head(status="204 No"), Verdict(204, b"", None, [True])),
    "empty": (head("Content-Length: 0"), Verdict(200, b"", None, [True])),
    "interim": (head(status="100 Continue") * 3 + SIZED, Verdict(200, BODY, None, [True])),
    "B23": (head(status="100 Continue") * 65 + SIZED, Verdict(error=ProtocolError)),
    "B02-short": (SIZED[:-1], Verdict(200, BODY[:-1], Unavailable, [False])),
    "B02-short-chunked": (
        head("Transfer-Encoding: chunked") + CHUNKS,
        Verdict(200, CHUNKED_BODY, Unavailable, [False]),
    ),
    "B24-extension": (
        head("Transfer-Encoding: chunked") + b"5;" + b"x" * 300_000,
        Verdict(200, b"", ProtocolError, [False]),
    ),
    "B24-trailers": (
        head("Transfer-Encoding: chunked") + b"0\r\n" + b"X: y\r\n" * 50_000,
        Verdict(200, b"", ProtocolError, [False]),
    ),
    "H02-nothing": (b"", Verdict(error=ConnectionLost)),
    "H02-half-a-head": (SIZED[:30], Verdict(error=ConnectionLost)),
    "H07-garbage": (b"SSH-2.0\r\n\r\n", Verdict(error=ProtocolError)),
    "B22-header": (head("X: " + "y" * 200_000), Verdict(error=ProtocolError)),
}


@pytest.mark.parametrize("case", CASES)
@given(sizes=st.lists(st.integers(1, 30_000), min_size=1, max_size=4))
def test_any_chunking_has_the_same_verdict(case: str, sizes: list[int]) -> None:
    data, expected = CASES[case]
    if max(sizes) < 64:
        sizes = [*sizes, 20_000]  # keeps the number of reads within reason
    assert judge(FakeStream(data, sizes)) == expected


def test_a_head_request_has_no_body() -> None:
    verdict = judge(FakeStream(head("Content-Length: 7")), "HEAD")
    assert verdict == Verdict(200, b"", None, [True])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(head("Content-Length: 2") + b"{}smuggled", id="length"),
        pytest.param(
            head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\nsmuggled", id="chunked"
        ),
    ],
)
def test_more_than_was_announced_ends_the_connection(data: bytes) -> None:
    assert judge(FakeStream(data)) == Verdict(200, b"{}", None, [False])


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        pytest.param(head("Content-Length: 5") + b"short", True, id="came-with-the-head"),
        pytest.param(head("Content-Length: 5") + b"sho", False, id="not-all-there"),
        pytest.param(SIZED, False, id="D13-long"),
        pytest.param(head("Transfer-Encoding: chunked") + b"0\r\n\r\n", False, id="chunked"),
    ],
)
def test_D13_an_unread_body_is_not_waited_for(data: bytes, *, reusable: bool) -> None:
    stream = FakeStream(data)
    assert judge(stream, read=False).reusable == [reusable]
    assert stream.reads == 1


def test_a_body_is_sent() -> None:
    stream = FakeStream(SIZED)
    exchange(
        cast("Stream", stream),
        h11.Request(method="POST", target="/t", headers=[("Host", "x"), ("Content-Length", "3")]),
        [b"a=b"],
        buffer=memoryview(bytearray(20_000)),
        timeouts=Timeouts(),
        monotonic=lambda: 0.0,
        ended=lambda _: None,
    ).close()
    assert stream.sent == b"POST /t HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b"


def test_closing_twice_tells_once() -> None:
    verdict = Verdict()
    answer = ask(FakeStream(head("Content-Length: 0")), verdict)
    answer.close()
    answer.close()
    assert verdict.reusable == [True]


# Bodies that are larger than what is held.

PIECE = bytes(50_000)
PIECES = 4


def upload(stream: FakeStream, verdict: Verdict, drawn: list[int] | None = None) -> int:
    """The status of an answer to a body of several pieces, and what became of the connection."""

    def pieces() -> Iterator[bytes]:
        for number in range(PIECES):
            if drawn is not None:
                drawn.append(stream.sends)
            yield PIECE if number < PIECES - 1 else b"end"

    length = str((PIECES - 1) * len(PIECE) + 3)
    head = h11.Request(
        method="PUT", target="/", headers=[("Host", "x"), ("Content-Length", length)]
    )
    answer = exchange(
        cast("Stream", stream),
        head,
        pieces(),
        buffer=memoryview(bytearray(20_000)),
        timeouts=Timeouts(),
        monotonic=lambda: 0.0,
        ended=verdict.reusable.append,
    )
    answer.close()
    return answer.head.status_code


def test_a_large_body_is_sent_piece_by_piece() -> None:
    stream, verdict, drawn = FakeStream(head("Content-Length: 0")), Verdict(), list[int]()
    assert upload(stream, verdict, drawn) == 200
    assert stream.sent.endswith(b"\r\n\r\n" + PIECE * (PIECES - 1) + b"end")
    # The head goes with the first piece's turn; no piece is asked for before the last is sent.
    assert drawn == [0, 2, 3, 4]
    assert verdict.reusable == [True]


def test_who_answers_early_is_sent_no_more() -> None:
    early = {3: head("Content-Length: 0", status="401 No")}
    stream, verdict = FakeStream(b"", early=early), Verdict()
    assert upload(stream, verdict) == 401
    assert stream.sends == 3
    assert verdict.reusable == [False]


def test_an_interim_answer_stops_nothing() -> None:
    early = {2: head(status="100 Continue"), 3: head(status="102 Processing")}
    stream, verdict = FakeStream(head("Content-Length: 0"), early=early), Verdict()
    assert upload(stream, verdict) == 200
    assert stream.sends == 5


def test_an_early_head_that_comes_in_two_pieces_is_put_together() -> None:
    whole = head("Content-Length: 0", status="413 Large")
    stream = FakeStream(b"", early={2: whole[:9], 3: whole[9:]})
    assert upload(stream, Verdict()) == 413
    assert stream.sends == 3


def test_what_was_said_before_the_connection_broke_is_heard() -> None:
    stream = FakeStream(b"", breaks_at=4)
    stream.early = {4: head("Content-Length: 0", status="413 Large")}
    # Seen only where sending fails: until then nothing was there.
    looks = iter([None, None, None])
    real = stream.receive_at_hand
    stream.receive_at_hand = lambda view: next(looks, 0) or real(view)  # type: ignore[method-assign]
    assert upload(stream, Verdict()) == 413


def test_a_connection_that_breaks_without_a_word_is_lost() -> None:
    with pytest.raises(ConnectionLost):
        upload(FakeStream(b"", breaks_at=3), Verdict())


def test_an_early_answer_that_is_not_http_is_refused() -> None:
    with pytest.raises(ProtocolError):
        upload(FakeStream(b"", early={2: b"SSH-2.0\r\n\r\n"}), Verdict())


def test_slack_is_time_on_top() -> None:
    ticks = itertools.count(0.0, 50.0)
    waits: list[float] = []
    stream = FakeStream(head("Content-Length: 0"))
    real = stream.receive_into

    def receive_into(view: memoryview, *, timeout: float) -> int:
        waits.append(timeout)
        return real(view, timeout=timeout)

    stream.receive_into = receive_into  # type: ignore[method-assign]
    exchange(
        cast("Stream", stream),
        h11.Request(method="GET", target="/", headers=[("Host", "x")]),
        (),
        buffer=memoryview(bytearray(20_000)),
        timeouts=Timeouts(answer=60),
        monotonic=lambda: next(ticks),
        ended=lambda _: None,
        slack=1000,
    ).close()
    assert waits == [1010.0]
