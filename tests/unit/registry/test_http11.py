"""HTTP/1.1 over a stream that delivers its bytes in whatever pieces: the verdict is the same."""

from __future__ import annotations

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
    from pinner.registry.sockets import Stream

BODY = bytes(range(256)) * 200
CHUNKS = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:40_000]))
CHUNKED_BODY = BODY[:40_000]


@dataclass
class FakeStream:
    """Answers with `data`, cut into pieces of the given sizes, in turn; then it has ended."""

    data: bytes
    sizes: list[int] = field(default_factory=lambda: [1 << 20])
    peer: str = "fake:80"
    sent: bytes = b""
    reads: int = 0

    def send(self, data: bytes, *, timeout: float) -> None:
        self.sent += data

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
