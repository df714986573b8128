"""A server of pinner's own on loopback, and clients that speak to it byte by byte."""

from __future__ import annotations

import http.client
import socket
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
QUICK = Limits(idle=5, patience=5, linger=0.2, grace=2)
ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BIG = 64 * 1024 * 1024  # more than the sockets' buffers hold


@contextmanager
def serving(
    handle: Callable[[Request], Response] = lambda _: OK,
    limits: Limits = QUICK,
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


def dial(server: Server) -> socket.socket:
    """A connection to it on which five seconds of silence are an error."""
    host, _, port = server.authority.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def everything(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = bytearray()
    while data := client.recv(65536):
        received += data
    return bytes(received)


def ask(server: Server, target: str = "/", method: str = "GET") -> tuple[int, bytes]:
    """Status and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection(server.authority, timeout=5)
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
