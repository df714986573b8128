"""One client's connection: heads in, answers out, one after the other.

Every wait has an end: a client that sends no head, or takes no bytes, is cut. Bodies of requests
are never read: such a connection is closed behind the answer.
"""

from __future__ import annotations

import contextlib
import http
import os
import stat
import string
import threading
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from pinner.serve.app import error_response
from pinner.serve.http1 import BadHead, parse_head, render_head
from pinner.serve.message import FileSlice, Request, Response, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from pinner.clock import Clock
    from pinner.serve.channel import Channel

_END_OF_HEAD: Final = b"\r\n\r\n"
# Refused at its first byte: a client that tries TLS first, as skopeo does on loopback, would else
# wait out its own timeout before it tries plain http.
_METHOD_START: Final = string.ascii_letters.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one server spends on its clients; times in seconds, sizes in bytes.

    Attributes:
        connections: open at once. Each costs a thread and a descriptor, and one more while it is
            sent a file: the default stays below the 1,024 that a process commonly may have.
        head: the size of a request's head.
        idle: how long a connection may wait before the next request.
        patience: how long a handshake may take, a head to arrive, a client to take the next bytes.
        linger: how long a refused client is listened to, so that it can read the refusal.
        grace: how long answers under way may go on when the server stops.
    """

    connections: int = 480
    head: int = 16 * 1024
    idle: float = 60.0
    patience: float = 30.0
    linger: float = 1.0
    grace: float = 5.0


class Connection:
    """One client: heads in, answers out, one after the other, until either side has enough."""

    def __init__(
        self,
        channel: Channel,
        answer: Callable[[Request], Response],
        *,
        peer: str,
        clock: Clock,
        limits: Limits,
        finished: Callable[[Request, Response, Sent], None] | None = None,
    ) -> None:
        self._channel = channel
        self._answer = answer
        self._peer = peer
        self._clock = clock
        self._limits = limits
        self._finished = finished
        self._received = b""  # what came behind the last head
        self._lock = threading.Lock()
        self._waiting: float | None = clock.monotonic()
        self._finishing = False

    @property
    def waiting_since(self) -> float | None:
        """The moment (monotonic) since which no answer is under way; None while one is."""
        return self._waiting

    def run(self) -> None:
        """Converse to the end, then close."""
        # OSError: gone, too slow, or cut by `cut`.
        with contextlib.closing(self._channel), contextlib.suppress(OSError):
            try:
                self._channel.begin()
                while self._exchange():
                    pass
            except BadHead as bad:
                self._channel.send(self._refusal(bad.status, "UNSUPPORTED", bad.reason))
                self._linger()

    def turn_away(self) -> None:
        """Say that the server is full, and close; never blocks. Instead of `run`."""
        busy = http.HTTPStatus.SERVICE_UNAVAILABLE
        with contextlib.closing(self._channel), contextlib.suppress(OSError):
            self._channel.dismiss(self._refusal(busy, "TOOMANYREQUESTS", "too many clients"))

    def finish(self) -> bool:
        """Close now if no answer is under way, else after it; whether it is now.

        Called from another thread.
        """
        with self._lock:
            self._finishing = True
            if self._waiting is None:
                return False
            self._channel.stop_receiving()
            return True

    def cut(self) -> None:
        """Close now, whatever is under way. Called from another thread."""
        self._channel.cut()

    def _exchange(self) -> bool:
        """Read one request and answer it; whether another may follow."""
        head = self._read_head()
        if head is None:
            return False
        request = parse_head(head, peer=self._peer)
        with self._lock:
            if self._finishing:
                return False
            self._waiting = None
        began = self._clock.monotonic()
        response = self._answer(request)
        keep_alive = request.keep_alive and not self._finishing
        self._send(request, response, began, keep_alive=keep_alive)
        with self._lock:
            self._waiting = self._clock.monotonic()
            keep_alive = keep_alive and not self._finishing
        if not keep_alive:
            self._linger()
        return keep_alive

    def _read_head(self) -> bytes | None:
        """The next head without its empty line; None where the client has left.

        Raises:
            BadHead: larger than it may be, or nothing that could become a head.
            TimeoutError: no request came, or one that trickled in.
        """
        deadline = self._clock.monotonic() + self._limits.idle
        begun = waited = False
        while True:
            # RFC 9112 2.2: empty lines before a request are skipped.
            self._received = self._received.lstrip(b"\r\n")
            if self._received and self._received[0] not in _METHOD_START:
                raise BadHead(http.HTTPStatus.BAD_REQUEST)
            head, ended, behind = self._received.partition(_END_OF_HEAD)
            # Of an end that came in part, three bytes are no part of the head.
            most = self._limits.head + (0 if ended else len(_END_OF_HEAD) - 1)
            if len(head) > most:
                raise BadHead(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            if ended:
                self._received = behind
                return head
            if self._received and not begun:
                begun = True
                deadline = min(deadline, self._clock.monotonic() + self._limits.patience)
            # Most heads come at once: the same wait each time, which the channel has set already.
            within = self._remaining(deadline) if begun or waited else self._limits.idle
            data = self._channel.receive(within)
            if not data:
                return None
            self._received += data
            waited = True

    def _remaining(self, deadline: float) -> float:
        remaining = deadline - self._clock.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining

    def _send(
        self, request: Request, response: Response, began: float, *, keep_alive: bool
    ) -> None:
        match response.body:
            case FileSlice() as part:
                try:
                    file = _open_slice(part)
                except OSError as error:
                    self._send(request, _file_refusal(error), began, keep_alive=keep_alive)
                    return
                with file:
                    head = self._head(response, keep_alive=keep_alive)
                    with self._telling(request, response, began, len(head)):
                        self._channel.send_file(head, file, part.start, part.length)
            case bytes() as data:
                head = self._head(response, keep_alive=keep_alive)
                with self._telling(request, response, began, len(head)):
                    self._channel.send(head + data)

    @contextlib.contextmanager
    def _telling(
        self, request: Request, response: Response, began: float, head: int
    ) -> Iterator[None]:
        """Tell whoever wants to know what was sent within the block, however that ended."""
        before, whole = self._channel.sent, False
        try:
            yield
            whole = True
        finally:
            if self._finished is not None:
                body = max(0, self._channel.sent - before - head)
                seconds = self._clock.monotonic() - began
                self._finished(request, response, Sent(body=body, seconds=seconds, whole=whole))

    def _head(self, response: Response, *, keep_alive: bool) -> bytes:
        date = formatdate(self._clock.now(), usegmt=True)
        return render_head(response, date=date, keep_alive=keep_alive)

    def _refusal(self, status: http.HTTPStatus, code: str, message: str) -> bytes:
        retry = [("Retry-After", "1")] if status == http.HTTPStatus.SERVICE_UNAVAILABLE else []
        response = error_response(status, code, message, *retry)
        body = response.body if isinstance(response.body, bytes) else b""
        return self._head(response, keep_alive=False) + body

    def _linger(self) -> None:
        """Swallow what the client still sends, so that closing does not destroy the answer.

        Bytes unread at `close` make the kernel send a reset, which can overtake the response.
        """
        self._channel.end()
        deadline = self._clock.monotonic() + self._limits.linger
        while self._channel.discard(self._remaining(deadline)):
            pass


def _file_refusal(error: OSError) -> Response:
    if isinstance(error, FileNotFoundError):  # pruned since it was looked up
        return error_response(
            http.HTTPStatus.NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to repository"
        )
    return error_response(http.HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", "the store failed")


def _open_slice(part: FileSlice) -> BinaryIO:
    """The file that holds the slice: regular, reached through no link, and long enough."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = open(os.open(part.path, flags), "rb", buffering=0)  # noqa: PTH123, SIM115 - handed on
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode) or state.st_size < part.start + part.length:
        file.close()
        raise OSError("the blob is not what it was")
    return file
