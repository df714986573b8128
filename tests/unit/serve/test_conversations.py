"""What is said on one connection, byte by byte: many requests, odd ones, smuggled ones."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING, cast

import pytest

from pinner.serve.connection import Connection, Limits
from pinner.serve.message import Request, Response, Sent
from support.clock import FakeClock
from support.dialing import (
    ASK,
    BIG,
    OK,
    SILENCE,
    ask,
    big_file,
    dial,
    everything,
    file_response,
    serving,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.serve.channel import Channel

pytestmark = pytest.mark.real_clock  # sockets wait in real time

HOST = b"Host: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def echo(request: Request) -> Response:
    body = request.target.encode()
    return Response(status=200, headers=(("Content-Length", str(len(body))),), body=body)


def said(sent: bytes) -> tuple[bytes, list[str]]:
    """All that answers these bytes until the server closes, and which targets were asked for."""
    seen: list[str] = []

    def answer(request: Request) -> Response:
        seen.append(request.target)
        return echo(request)

    with serving(answer) as server, dial(server) as client:
        client.sendall(sent)
        return everything(client), seen


def test_one_connection_carries_many_requests() -> None:
    with serving() as server:
        connection = http.client.HTTPConnection(server.authority, timeout=SILENCE)
        connection.connect()
        used = connection.sock
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"ok"
            assert connection.sock is used
        connection.close()


def test_requests_that_arrive_together_are_answered_in_order() -> None:
    request = "\r\nGET {} HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(echo) as server, dial(server) as client:
        client.sendall((request.format("/1") + request.format("/2")).encode())
        client.shutdown(socket.SHUT_WR)
        received = everything(client)
    assert received.index(b"\r\n\r\n/1") < received.index(b"\r\n\r\n/2")


def test_files_that_are_asked_for_together_are_sent_in_order(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 4096)

    def part(request: Request) -> Response:
        return file_response(blob, int(request.target[1:]), 300_000)

    sent = b"".join(b"GET /%d HTTP/1.1\r\n%s\r\n" % (start, HOST) for start in (7, 400_000))
    with serving(part) as server, dial(server) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        first, _, rest = everything(client).partition(b"\r\n\r\n")[2].partition(b"HTTP/1.1 200")
    assert first == blob.read_bytes()[7:300_007]
    assert rest.partition(b"\r\n\r\n")[2] == blob.read_bytes()[400_000:700_000]


def test_a_head_may_come_byte_by_byte() -> None:
    with serving() as server, dial(server) as client:
        for byte in b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            client.send(bytes([byte]))
        assert everything(client).endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /a HTTP/1.0\r\n\r\n", id="http-1.0-without-host"),
        pytest.param(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", id="http-1.0-keep"),
        pytest.param(b"GET /a HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n", id="close"),
        pytest.param(
            b"GET /a HTTP/1.1\r\nConnection: TE, Close\r\n" + HOST + b"\r\n", id="close-in-a-list"
        ),
        pytest.param(
            b"PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n" + HOST + b"\r\n",
            id="expects-to-go-on",
        ),
    ],
)
def test_the_last_answer_of_a_connection_says_so(head: bytes) -> None:
    received, seen = said(head)
    assert seen == ["/a"]
    assert received.startswith(b"HTTP/1.1 200")  # never 100: no body is wanted
    assert b"\r\nConnection: close\r\n" in received
    assert received.endswith(b"\r\n\r\n/a")


def test_an_expectation_without_a_body_changes_nothing() -> None:
    with serving() as server, dial(server) as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n" + HOST + b"\r\n")
            assert client.recv(1000).endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("http://registry.example:5000/v2/?n=1", "/v2/?n=1"),
        ("HTTPS://registry.example", "/"),
        ("http://registry.example?n=1", "/?n=1"),
        ("*", "*"),
        ("registry.example:443", "registry.example:443"),
        ("//registry.example/v2/", "//registry.example/v2/"),
        ("/http://registry.example/", "/http://registry.example/"),
    ],
)
def test_W02_an_absolute_target_loses_its_authority_and_no_other_does(
    target: str, seen: str
) -> None:
    head = f"GET {target} HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n"
    assert said(head.encode())[1] == [seen]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(b"Content-Length: %d\r\n" % len(SMUGGLED), id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", id="chunked"),
        pytest.param(b"Transfer-Encoding: identity\r\n", id="identity"),
    ],
)
def test_W01_a_body_is_not_taken_for_a_request(fields: bytes) -> None:
    received, seen = said(b"POST /a HTTP/1.1\r\n" + HOST + fields + b"\r\n" + SMUGGLED)
    assert seen == ["/a"]
    assert received.count(b"HTTP/1.1 200") == 1


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", id="both"),
        pytest.param(b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", id="both-none"),
        pytest.param(b"Content-Length: 0\r\nContent-Length: 35\r\n", id="two-lengths"),
        pytest.param(b"Content-Length: +0\r\n", id="signed"),
        pytest.param(b"Content-Length: 0x0\r\n", id="hexadecimal"),
        pytest.param(b"Content-Length:\r\n", id="empty"),
        pytest.param(b"Content-Length: 0\n\r\n", id="bare-line-feed"),
        pytest.param(b"Content-Length : 0\r\n", id="space-before-colon"),
        pytest.param(b"X: y\r\n Content-Length: 0\r\n", id="folded"),
    ],
)
def test_W01_what_readers_may_read_in_two_ways_is_refused(fields: bytes) -> None:
    received, seen = said(b"POST /a HTTP/1.1\r\n" + HOST + fields + b"\r\n" + SMUGGLED)
    assert seen == []
    assert received.startswith(b"HTTP/1.1 400")
    assert received.count(b"HTTP/1.1") == 1


def test_W01_a_client_that_sends_a_large_body_can_read_the_refusal() -> None:
    with serving() as server:
        connection = http.client.HTTPConnection(server.authority, timeout=SILENCE)
        connection.request("POST", "/v2/a/blobs/uploads/", body=b"x" * 20_000_000)
        assert connection.getresponse().status == 200
        connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", b"400", id="no-http"),
        pytest.param(b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="W02-nul"),
        pytest.param(b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\n\r\n", b"431", id="W02-64-KB"),
        pytest.param(ASK[:-2] + b"A: b\r\n" * 4096 + b"\r\n", b"431", id="many-fields"),
        pytest.param(b"X" * 20_000, b"431", id="no-end-in-sight"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", b"400", id="tls-hello"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505", id="http-2"),
    ],
)
def test_a_bad_head_is_refused_and_the_connection_closed(sent: bytes, status: bytes) -> None:
    with serving() as server, dial(server) as client:
        client.sendall(sent)
        received = everything(client)
    assert received.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in received


def test_a_head_of_just_the_size_that_it_may_have_is_taken() -> None:
    limits = Limits(head=64)
    for extra, status in ((0, b"200"), (1, b"431")):
        head = b"GET /".ljust(64 + extra - len(b" HTTP/1.1\r\nHost: x"), b"a")
        with serving(limits=limits) as server, dial(server) as client:
            client.sendall(head + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 " + status)


class InPieces:
    """A channel that brings these pieces, one a receive, and keeps what is sent."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self.answered = b""
        self.sent = 0

    def begin(self) -> None:
        pass

    def receive(self, _within: float) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def send(self, data: bytes) -> None:
        self.answered += data

    def discard(self, _within: float) -> bool:
        return False

    end = close = begin


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(ASK.removesuffix(b"\r\n\r\n"), b"200", id="just-the-limit"),
        pytest.param(b"!" + ASK.removesuffix(b"\r\n\r\n")[1:], b"400", id="no-letter"),
    ],
)
def test_how_a_head_comes_in_pieces_changes_nothing(head: bytes, status: bytes) -> None:
    limits = Limits(head=len(head))
    for cut in range(1, len(head) + 5):
        whole = head + b"\r\n\r\n"
        channel = InPieces(whole[:cut], whole[cut:])
        Connection(
            cast("Channel", channel),
            lambda _: OK,
            peer="",
            clock=FakeClock(),
            limits=limits,
        ).run()
        assert channel.answered.startswith(b"HTTP/1.1 " + status), cut


def test_a_request_knows_its_client() -> None:
    seen: list[str] = []

    def answer(request: Request) -> Response:
        seen.append(request.peer)
        return OK

    with serving(answer) as server:
        ask(server)
    assert seen == ["127.0.0.1"]


def test_observers_see_each_request_before_and_after_it_is_answered(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    told: list[tuple[str, str, int]] = []

    def answer(request: Request) -> Response:
        match request.target:
            case "/file":
                return file_response(blob, 5, 600_000)
            case "/gone":
                return file_response(tmp_path / "gone", 0, 1)
            case "/head":
                return Response(status=200, headers=(("Content-Length", "9"),))
            case _:
                return OK

    def finished(request: Request, response: Response, sent: Sent) -> None:
        assert sent.whole
        assert sent.seconds > 0
        told.append((request.target, str(response.status), sent.body))

    with serving(
        answer,
        observe=lambda request, response: told.append((request.target, "asked", response.status)),
        finished=finished,
    ) as server:
        client = http.client.HTTPConnection(
            server.authority, timeout=SILENCE
        )  # one: one thread, in order
        sizes = []
        for method, target in (("GET", "/"), ("GET", "/file"), ("GET", "/gone"), ("HEAD", "/head")):
            client.request(method, target)
            sizes.append(len(client.getresponse().read()))
        client.close()
    assert told == [
        ("/", "asked", 200),
        ("/", "200", 2),
        ("/file", "asked", 200),
        ("/file", "200", 600_000),
        ("/gone", "asked", 200),
        ("/gone", "404", sizes[2]),
        ("/head", "asked", 200),
        ("/head", "200", 0),
    ]


def test_whoever_left_was_not_sent_the_whole(tmp_path: Path) -> None:
    blob = big_file(tmp_path)
    told: list[Sent] = []
    with serving(
        lambda _: file_response(blob, 0, BIG),
        finished=lambda _, __, sent: told.append(sent),
    ) as server:
        with dial(server) as client:
            client.sendall(ASK)
            client.recv(10)
        assert ask(server)[0] == 200
    assert sorted(sent.whole for sent in told) == [False, True]
    assert min(sent.body for sent in told) < BIG
