"""One client's connection: heads in, answers out, one after the other.

Blobs go from the page cache to the socket by `sendfile`, so a thread costs next to nothing while
it sends. Every wait has an end: a client that sends no head, or takes no bytes, is cut. Bodies of
requests are never read: such a connection is closed behind the answer.
"""

from __future__ import annotations

import contextlib
import http
import os
import socket
import stat
import string
import threading
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from pinner.serve.app import error_response
from pinner.serve.http1 import BadHead, parse_head, render_head
from pinner.serve.message import FileSlice, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from pinner.clock import Clock

_END_OF_HEAD: Final = b"\r\n\r\n"
_CHUNK: Final = 16 * 1024
# Refused at its first byte: a client that tries TLS first, as skopeo does on loopback, would else
# wait out its own timeout before it tries plain http.
_METHOD_START: Final = string.ascii_letters.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one server spends on its clients; times in seconds, sizes in bytes.

    Attributes:
        connections: open at once; each costs a thread.
        head: the size of a request's head.
        idle: how long a connection may wait before the next request.
        patience: how long a head may take to arrive, and a client to take the next bytes.
        linger: how long a refused client is listened to, so that it can read the refusal.
        grace: how long answers under way may go on when the server stops.
    """

    connections: int = 512
    head: int = 16 * 1024
    idle: float = 60.0
    patience: float = 30.0
    linger: float = 1.0
    grace: float = 5.0


class Connection:
    """One client: heads in, answers out, one after the other, until either side has enough."""

    def __init__(
        self,
        client: socket.socket,
        answer: Callable[[Request], Response],
        *,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._socket = client
        self._answer = answer
        self._clock = clock
        self._limits = limits
        self._received = bytearray()  # what came behind the last head
        self._lock = threading.Lock()
        self._answering = False
        self._finishing = False

    def run(self) -> None:
        """Converse to the end, then close."""
        with self._socket, contextlib.suppress(OSError):  # gone, too slow, or cut by `cut`
            # A head and a blob are two writes: the second must not wait for the first's receipt.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self._exchange():
                pass

    def finish(self) -> None:
        """Close now if idle, else after the answer under way. Called from another thread."""
        with self._lock:
            self._finishing = True
            if not self._answering:
                self._shut(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Close now, whatever is under way. Called from another thread."""
        self._shut(socket.SHUT_RDWR)

    def turn_away(self) -> None:
        """Say that the server is full, and close; never blocks for longer than a moment."""
        busy = http.HTTPStatus.SERVICE_UNAVAILABLE
        response = error_response(busy, "TOOMANYREQUESTS", "too many clients", ("Retry-After", "1"))
        with self._socket, contextlib.suppress(OSError):
            self._socket.settimeout(0)
            self._send(response, keep_alive=False)

    def _exchange(self) -> bool:
        """Read one request and answer it; whether another may follow."""
        try:
            head = self._read_head()
            if head is None:
                return False
            request = parse_head(head)
        except BadHead as bad:
            self._socket.settimeout(self._limits.patience)
            self._send(_refusal(bad.status), keep_alive=False)
            self._linger()
            return False
        with self._lock:
            if self._finishing:
                return False
            self._answering = True
        response = self._answer(request)
        keep_alive = request.keep_alive and not self._finishing
        self._socket.settimeout(self._limits.patience)
        self._send(response, keep_alive=keep_alive)
        with self._lock:
            self._answering = False
            keep_alive = keep_alive and not self._finishing
        if not keep_alive:
            self._linger()
        return keep_alive

    def _read_head(self) -> bytes | None:
        """The next head without its empty line; None where the client has left.

        Raises:
            BadHead: larger than it may be.
            TimeoutError: no request came, or one that trickled in.
        """
        deadline = self._clock.monotonic() + self._limits.idle
        begun = False
        while True:
            # RFC 9112 2.2: empty lines before a request are skipped.
            self._received = self._received.lstrip(b"\r\n")
            if self._received and not begun:
                if self._received[:1] not in _METHOD_START:
                    raise BadHead(http.HTTPStatus.BAD_REQUEST)
                begun = True
                deadline = min(deadline, self._clock.monotonic() + self._limits.patience)
            head, ended, behind = self._received.partition(_END_OF_HEAD)
            if len(head) > self._limits.head:
                raise BadHead(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            if ended:
                self._received = behind
                return bytes(head)
            data = self._receive(deadline)
            if not data:
                return None
            self._received += data

    def _receive(self, deadline: float) -> bytes:
        remaining = deadline - self._clock.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._socket.settimeout(remaining)
        return self._socket.recv(_CHUNK)

    def _send(self, response: Response, *, keep_alive: bool) -> None:
        if not isinstance(response.body, FileSlice):
            self._socket.sendall(self._head(response, keep_alive=keep_alive) + response.body)
            return
        part = response.body
        try:
            file = _open_slice(part)
        except OSError:
            failed = http.HTTPStatus.INTERNAL_SERVER_ERROR
            self._send(error_response(failed, "UNKNOWN", "the store failed"), keep_alive=keep_alive)
            return
        with file:
            self._socket.sendall(self._head(response, keep_alive=keep_alive))
            sent = self._socket.sendfile(file, part.start, part.length) if part.length else 0
        if sent != part.length:
            raise ConnectionAbortedError  # the file shrank: a cut connection, never a short blob

    def _head(self, response: Response, *, keep_alive: bool) -> bytes:
        date = formatdate(self._clock.now(), usegmt=True)
        return render_head(response, date=date, keep_alive=keep_alive)

    def _linger(self) -> None:
        """Swallow what the client still sends, so that closing does not destroy the answer.

        Bytes unread at `close` make the kernel send a reset, which can overtake the response.
        """
        self._shut(socket.SHUT_WR)
        deadline = self._clock.monotonic() + self._limits.linger
        while self._receive(deadline):
            pass

    def _shut(self, how: int) -> None:
        with contextlib.suppress(OSError):  # closed already
            self._socket.shutdown(how)


def _refusal(status: http.HTTPStatus) -> Response:
    return error_response(status, "UNSUPPORTED", status.phrase.lower())


def _open_slice(part: FileSlice) -> BinaryIO:
    """The file that holds the slice: regular, reached through no link, and long enough."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = open(os.open(part.path, flags), "rb", buffering=0)  # noqa: PTH123, SIM115 - handed on
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode) or state.st_size < part.start + part.length:
        file.close()
        raise OSError("the blob is not what it was")
    return file
