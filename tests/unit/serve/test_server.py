from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from pinner.clock import SystemClock
from pinner.errors import InputError
from pinner.serve.connection import Limits
from pinner.serve.message import FileSlice, Request, Response
from pinner.serve.server import Server, open_listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.real_clock  # sockets wait in real time

OK = Response(status=200, headers=(("Content-Length", "2"),), body=b"ok")
QUICK = Limits(idle=5, patience=5, linger=0.2, grace=2)


@contextmanager
def serving(
    handle: Callable[[Request], Response] = lambda _: OK, limits: Limits = QUICK
) -> Iterator[Server]:
    with Server(open_listener(), handle, clock=SystemClock(), limits=limits) as server:
        yield server


def dial(server: Server) -> socket.socket:
    host, _, port = server.authority.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def everything(client: socket.socket) -> bytes:
    received = b""
    while data := client.recv(65536):
        received += data
    return received


def ask(server: Server, target: str = "/", method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.authority, timeout=5)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def file_response(path: Path, start: int, length: int) -> Response:
    return Response(
        status=200,
        headers=(("Content-Length", str(length)),),
        body=FileSlice(path=path, start=start, length=length),
    )


def test_it_answers() -> None:
    with serving() as server:
        assert ask(server) == (200, b"ok")


def test_one_connection_carries_many_requests() -> None:
    with serving() as server:
        connection = http.client.HTTPConnection(server.authority, timeout=5)
        connection.connect()
        used = connection.sock
        for _ in range(3):
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"ok"
            assert connection.sock is used
        connection.close()


def test_requests_that_arrive_together_are_answered_in_order() -> None:
    def echo(request: Request) -> Response:
        body = request.target.encode()
        return Response(status=200, headers=(("Content-Length", str(len(body))),), body=body)

    request = "\r\nGET {} HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(echo) as server, dial(server) as client:
        client.sendall((request.format("/1") + request.format("/2")).encode())
        client.shutdown(socket.SHUT_WR)
        received = everything(client)
    assert received.index(b"\r\n\r\n/1") < received.index(b"\r\n\r\n/2")


def test_a_head_may_come_byte_by_byte() -> None:
    with serving() as server, dial(server) as client:
        for byte in b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            client.send(bytes([byte]))
        assert everything(client).endswith(b"\r\n\r\nok")


def test_a_part_of_a_file_is_sent(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(bytes(range(256)) * 4096)
    with serving(lambda _: file_response(blob, 100, 600_000)) as server:
        assert ask(server) == (200, blob.read_bytes()[100:600_100])


def test_an_empty_file_is_sent(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.touch()
    with serving(lambda _: file_response(blob, 0, 0)) as server:
        assert ask(server) == (200, b"")


@pytest.mark.parametrize("kind", ["missing", "folder", "link", "short"])
def test_W05_a_file_that_is_not_what_it_was_is_a_500(tmp_path: Path, kind: str) -> None:
    blob = tmp_path / "blob"
    if kind == "folder":
        blob.mkdir()
    elif kind == "link":
        (tmp_path / "other").write_bytes(b"0123456789")
        blob.symlink_to(tmp_path / "other")
    elif kind == "short":
        blob.write_bytes(b"01234")
    with serving(lambda _: file_response(blob, 0, 10)) as server:
        status, body = ask(server)
    assert status == 500
    assert str(tmp_path).encode() not in body


def test_W05_a_file_that_shrinks_while_it_is_sent_cuts_the_connection(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    size = 64 * 1024 * 1024  # more than the sockets' buffers
    with blob.open("wb") as file:
        file.truncate(size)
    with serving(lambda _: file_response(blob, 0, size)) as server, dial(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = len(client.recv(1000))
        with blob.open("r+b") as file:
            file.truncate(1_000_000)
        received += len(everything(client))
    assert received < size


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"nonsense\r\n\r\n", b"400", id="no-http"),
        pytest.param(b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"400", id="W02-nul"),
        pytest.param(b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\n\r\n", b"431", id="W02-64-KB"),
        pytest.param(b"X" * 20_000, b"431", id="no-end-in-sight"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", b"400", id="tls-hello"),
    ],
)
def test_a_bad_head_is_refused_and_the_connection_closed(sent: bytes, status: bytes) -> None:
    with serving() as server, dial(server) as client:
        client.sendall(sent)
        received = everything(client)
    assert received.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in received


def test_W01_the_body_of_a_write_is_not_taken_for_a_request() -> None:
    seen: list[str] = []

    def handle(request: Request) -> Response:
        seen.append(request.target)
        return OK

    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    head = f"PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: {len(smuggled)}\r\n\r\n"
    with serving(handle) as server, dial(server) as client:
        client.sendall(head.encode() + smuggled)
        received = everything(client)
    assert seen == ["/v2/a/manifests/x"]
    assert received.count(b"HTTP/1.1 200") == 1


def test_W01_a_client_that_sends_a_large_body_can_read_the_refusal() -> None:
    with serving() as server:
        connection = http.client.HTTPConnection(server.authority, timeout=5)
        connection.request("POST", "/v2/a/blobs/uploads/", body=b"x" * 20_000_000)
        assert connection.getresponse().status == 200
        connection.close()


def test_W07_a_head_that_trickles_in_is_cut() -> None:
    limits = Limits(idle=30, patience=0.3)
    with (
        serving(limits=limits) as server,
        dial(server) as client,
        pytest.raises(ConnectionError),
    ):
        trickle(client, seconds=5)


def trickle(client: socket.socket, *, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        client.sendall(b"G")
        time.sleep(0.05)


def test_W07_an_idle_connection_is_closed() -> None:
    with serving(limits=Limits(idle=0.2)) as server, dial(server) as client:
        assert everything(client) == b""


def test_W07_a_client_that_takes_nothing_is_cut(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    size = 64 * 1024 * 1024
    with blob.open("wb") as file:
        file.truncate(size)
    limits = Limits(patience=0.3, grace=0)
    with (
        serving(lambda _: file_response(blob, 0, size), limits) as server,
        dial(server) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1)
        assert len(everything(client)) < size


def test_W07_others_are_served_while_200_clients_idle() -> None:
    with serving() as server, ExitStack() as clients:
        for number in range(200):
            client = clients.enter_context(dial(server))
            if number % 2:
                client.sendall(b"GET / HTTP/1.1\r\nHo")
        assert ask(server) == (200, b"ok")


def test_W07_above_the_limit_a_client_is_told_to_come_back() -> None:
    with serving(limits=Limits(connections=1, linger=0.2)) as server:
        with dial(server) as first:
            first.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert first.recv(1000).startswith(b"HTTP/1.1 200")
            with dial(server) as second:
                received = everything(second)
        assert received.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 1" in received


def test_W07_without_a_thread_left_a_client_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start

    def fail_for_clients(thread: threading.Thread) -> None:
        if thread.name == "serve client":
            raise RuntimeError("can't start new thread")
        start(thread)

    with serving() as server:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail_for_clients)
            with dial(server) as client:
                assert everything(client).startswith(b"HTTP/1.1 503")
        assert ask(server) == (200, b"ok")


def test_leaving_closes_idle_connections_at_once() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(limits=Limits(grace=30)))
        with dial(server) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1000).endswith(b"ok")
            began = time.monotonic()
            stack.close()
            assert time.monotonic() - began < 5
            assert everything(client) == b""


def test_leaving_lets_an_answer_under_way_finish() -> None:
    asked, go = threading.Event(), threading.Event()

    def slow(_: Request) -> Response:
        asked.set()
        assert go.wait(5)
        return OK

    answers: list[tuple[int, bytes]] = []
    with serving(slow) as server:
        client = threading.Thread(target=lambda: answers.append(ask(server)))
        client.start()
        assert asked.wait(5)
        threading.Timer(0.2, go.set).start()
    client.join(5)
    assert answers == [(200, b"ok")]


def test_leaving_cuts_what_outlasts_the_grace(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    size = 64 * 1024 * 1024
    with blob.open("wb") as file:
        file.truncate(size)
    with ExitStack() as stack:
        limits = Limits(patience=60, grace=0.1)
        server = stack.enter_context(serving(lambda _: file_response(blob, 0, size), limits))
        with dial(server) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.recv(10)
            stack.close()
            assert len(everything(client)) < size - 10


def test_after_leaving_nothing_listens() -> None:
    with serving() as server:
        authority = server.authority
    host, _, port = authority.rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_an_observer_sees_each_request_with_its_response() -> None:
    seen: list[tuple[str, int]] = []
    listener = open_listener()
    with Server(
        listener,
        lambda _: OK,
        clock=SystemClock(),
        observe=lambda request, response: seen.append((request.target, response.status)),
    ) as server:
        ask(server, "/a")
        ask(server, "/b")
    assert seen == [("/a", 200), ("/b", 200)]


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", pytest.param("::1", marks=needs_ipv6)])
def test_W09_loopback_is_listened_on(host: str) -> None:
    with open_listener(host) as listener:
        assert listener.getsockname()[1] > 0


@needs_ipv6
def test_an_ipv6_authority_is_bracketed() -> None:
    with Server(open_listener("::1"), lambda _: OK, clock=SystemClock()) as server:
        assert server.authority.startswith("[::1]:")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"])
def test_W09_other_addresses_need_to_be_asked_for(host: str) -> None:
    with pytest.raises(InputError, match="other machines"):
        open_listener(host)


def test_W09_all_addresses_when_asked_for() -> None:
    with open_listener("0.0.0.0", remote=True) as listener:
        assert listener.getsockname()[0] == "0.0.0.0"


@pytest.mark.parametrize("host", ["", "example.org", "127.0.0.1/8", "\x1b[31m"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(InputError, match="cannot listen") as refused:
        open_listener(host)
    assert "\x1b" not in str(refused.value)


def test_a_port_in_use() -> None:
    with open_listener() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match="in use") as refused:
            open_listener("127.0.0.1", port)
    assert "another port" in str(refused.value)
