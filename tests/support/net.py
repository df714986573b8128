"""A loopback server on raw sockets: it can say anything, also what is not HTTP.

    with LoopbackServer(answer) as server:      # answer(request) -> Answer
        server.url                              # http://127.0.0.1:PORT

Each connection has its thread and takes requests until an answer ends it. An `Answer` says not
only what is sent but how: with which framing, how far, how fast, and what happens then.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Final, Self

from support.gate import Gate

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

_PIECE: Final = 64 * 1024
# SO_LINGER on, zero seconds: close sends RST.
_ABORTIVE: Final = struct.pack("ii", 1, 0)


class Framing(enum.Enum):
    """How the end of a body is told."""

    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


class Then(enum.Enum):
    """What happens once an answer was sent, or cut."""

    KEEP = "keep"
    CLOSE = "close"
    RESET = "reset"
    STALL = "stall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it arrived; header names in lower case.

    Attributes:
        cut: `body` is its beginning alone: the server would not read more.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    cut: bool = False

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer and the way it is sent.

    Attributes:
        delay: seconds before anything is sent.
        interim: so many `100 Continue` come first.
        cut_at: so many bytes of the body are sent, while the head promises all.
        drip: seconds between single bytes of the body, or of `raw`.
        pace: seconds after each 64 KiB of the body, for a connection of a known speed.
        raw: sent instead of everything else.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    framing: Framing = Framing.LENGTH
    delay: float = 0
    interim: int = 0
    cut_at: int | None = None
    drip: float = 0
    pace: float = 0
    then: Then = Then.KEEP
    raw: bytes | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def with_header(self, name: str, value: str | None) -> Answer:
        """The same with this header replaced, or gone for None."""
        kept = tuple((n, v) for n, v in self.headers if n.lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


class LoopbackServer:
    """Listens on 127.0.0.1 as long as the `with` block runs.

    Attributes:
        port: chosen by the system.
        requests: every request so far, in order of arrival; a growing list.
        connections: how many were accepted.
        ended: how many of those are over.
        gate: what passes of bodies that are paced; see `support.gate`.
    """

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        *,
        tls: ssl.SSLContext | None = None,
        intake: Callable[[str], int | None] = lambda target: None,
    ) -> None:
        """Listen.

        Args:
            answer: what to say to a request.
            tls: speak https.
            intake: for a target, how much of a body is read; None for all.
        """
        self._intake = intake
        self._answer = answer
        self._tls = tls
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.requests: list[Request] = []
        self.connections = 0
        self.ended = 0
        self.gate = Gate()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, as references write it."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or https."""
        return f"{'https' if self._tls else 'http'}://{self.host}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.gate.open()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join(timeout=5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._start(self._serve, sock, self.connections)

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            # A client that goes away, or distrusts the certificate, is what many tests are about.
            with contextlib.suppress(OSError), sock:
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                with sock, self._watched(sock):
                    self._converse(sock, number)
        finally:
            with self._lock:
                self.ended += 1

    @contextlib.contextmanager
    def _watched(self, sock: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.add(sock)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(sock)

    def _converse(self, sock: socket.socket, number: int) -> None:
        with sock.makefile("rb") as reader:
            while not self._closing.is_set():
                request = _read_request(reader, number, self._intake)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                answer = self._answer(request)
                self._send(sock, request, answer)
                if answer.then is Then.STALL:
                    self._closing.wait()
                if answer.then is Then.RESET:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
                if answer.then is not Then.KEEP or answer.framing is Framing.CLOSE:
                    return
                if request.cut:  # as servers do, so that the answer is not lost by a reset
                    sock.shutdown(socket.SHUT_WR)
                    reader.read()
                    return

    def _send(self, sock: socket.socket, request: Request, answer: Answer) -> None:
        self._closing.wait(answer.delay)
        if answer.raw is not None:
            self._send_slowly(sock, answer.raw, answer)
            return
        head = b"HTTP/1.1 100 Continue\r\n\r\n" * answer.interim + _head(answer)
        body = answer.body if answer.cut_at is None else answer.body[: answer.cut_at]
        small = len(body) < _PIECE and not answer.drip and not answer.pace
        if answer.framing is Framing.LENGTH and small and request.method != "HEAD":
            head, body = head + body, b""  # one segment, as servers send short answers
        sock.sendall(head)
        if request.method == "HEAD":
            return
        self._send_slowly(sock, body, answer, chunked=answer.framing is Framing.CHUNKED)
        if answer.framing is Framing.CHUNKED and answer.cut_at is None:
            sock.sendall(b"0\r\n\r\n")

    def _send_slowly(
        self, sock: socket.socket, data: bytes, answer: Answer, *, chunked: bool = False
    ) -> None:
        step = 1 if answer.drip else _PIECE
        for start in range(0, len(data), step):
            if self._closing.is_set():
                return
            piece = data[start : start + step]
            if answer.pace:
                self._hand_on(sock, memoryview(piece))
                self._closing.wait(answer.pace)
                continue
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            self._closing.wait(answer.drip)

    def _hand_on(self, sock: socket.socket, rest: memoryview) -> None:
        while rest:
            count = self.gate.room(len(rest))
            sock.sendall(rest[:count])
            rest = rest[count:]


def _head(answer: Answer) -> bytes:
    headers = list(answer.headers)
    if answer.framing is Framing.CHUNKED:
        headers.append(("Transfer-Encoding", "chunked"))
    elif answer.framing is Framing.LENGTH and answer.header("Content-Length") is None:
        headers.append(("Content-Length", str(len(answer.body))))
    lines = [f"HTTP/1.1 {answer.status} Scripted", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _read_request(
    reader: IO[bytes], number: int, intake: Callable[[str], int | None]
) -> Request | None:
    first = reader.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while (line := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    limit = intake(first[1]) if length else None
    return Request(
        method=first[0],
        target=first[1],
        headers=headers,
        body=reader.read(length if limit is None else min(limit, length)),
        connection=number,
        cut=limit is not None and limit < length,
    )
