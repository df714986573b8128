"""A server of pinner's own on loopback, and clients that speak to it byte by byte."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pinner.clock import SystemClock
from pinner.serve.connection import Limits
from pinner.serve.message import FileSlice, Request, Response
from pinner.serve.server import Server, open_listener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pinner.serve.message import Sent

OK = Response(status=200, headers=(("Content-Length", "2"),), body=b"ok")
SILENCE = 60
"""Seconds of silence after which a client of these tests gives up, and the test fails."""
PATIENT = Limits(idle=600, patience=600, linger=600, grace=600)
"""What a server of these tests waits, unless the test is about a wait: longer than its client."""
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BIG = 64 * 1024 * 1024  # more than the sockets' buffers hold


@contextmanager
def serving(
    handle: Callable[[Request], Response] = lambda _: OK,
    limits: Limits = PATIENT,
    *,
    observe: Callable[[Request, Response], None] | None = None,
    finished: Callable[[Request, Response, Sent], None] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    """A server that answers every request by `handle`."""
    with Server(
        open_listener(),
        handle,
        clock=SystemClock(),
        limits=limits,
        observe=observe,
        finished=finished,
        tls=tls,
    ) as server:
        yield server


@contextmanager
def at_once(server: Server) -> Iterator[None]:
    """A block that leaves the server, without waiting for anything that `PATIENT` would wait for.

    Raises:
        AssertionError: it waited; the server was cut after `SILENCE`.
    """
    waited = threading.Event()

    def give_up() -> None:
        waited.set()
        server.cut()

    timer = threading.Timer(SILENCE, give_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    assert not waited.is_set(), "the server waited, and had to be cut"


def dial(server: Server) -> socket.socket:
    """A connection to it on which `SILENCE` is an error."""
    host, _, port = server.authority.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=SILENCE)


def all_wait(server: Server) -> bool:
    """Whether the server knows that none of its connections has an answer under way.

    A client has its answer a moment before the server's own thread gets to note that.
    """
    with server._lock:
        return all(one.waiting_since is not None for one in server._connections)


def everything(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = bytearray()
    while data := client.recv(65536):
        received += data
    return bytes(received)


def ask(server: Server, target: str = "/", method: str = "GET") -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection(server.authority, timeout=SILENCE)
    try:
        connection.request(method, target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def file_response(path: Path, start: int, length: int) -> Response:
    """A part of a file."""
    return Response(
        status=200,
        headers=(("Content-Length", str(length)),),
        body=FileSlice(path=path, start=start, length=length),
    )


def big_file(folder: Path) -> Path:
    """A file of `BIG` bytes, all zero, that takes no place on the disk."""
    path = folder / "big"
    with path.open("wb") as file:
        file.truncate(BIG)
    return path
