"""A path to a server that is slow, or breaks off: a relay on loopback which counts bytes.

    with Relay(registry.address, reset_after=5_000_000) as relay:
        ...                                        # f"{relay.address}/team/app:1"
        relay.sent                                 # bytes that came from the server

What a client sends passes at once. What the server sends is counted as it is passed on; with
`rate`, each connection gets so many bytes a second; with `reset_after`, each is reset (RST) when it
got so many, once the client's kernel has them. Through its `gate` nothing passes that it holds.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import socket
import struct
import termios
import threading
import time
from typing import Final, Self

from support.gate import Gate

_PIECE: Final = 64 * 1024
_BUFFER: Final = 256 * 1024
_ABORTIVE: Final = struct.pack("ii", 1, 0)
_PATIENCE: Final = 60.0


class Relay:
    """A context manager that listens on 127.0.0.1 and passes connections on.

    Attributes:
        address: `127.0.0.1:port`, in place of the server's.
        sent: bytes that were passed on to clients until now, heads of answers included.
        resets: how many connections were reset.
        gate: what passes to clients; see `support.gate`.
        rate: bytes a second for each connection, from its next piece on; None for all there are.
        heard: what clients sent until now, piece by piece.
    """

    def __init__(
        self, address: str, *, rate: float | None = None, reset_after: int | None = None
    ) -> None:
        host, _, port = address.rpartition(":")
        self._server = host, int(port)
        self.rate = rate
        self._reset_after = reset_after
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        # Small buffers, inherited by each connection: what the client does not read is not sent.
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = 0
        self.gate = Gate()
        self.heard: list[bytes] = []
        self.resets = 0

    def __enter__(self) -> Self:
        _start(self._accept)
        return self

    @property
    def is_idle(self) -> bool:
        """Whether no connection is open: `sent` will not grow by itself."""
        with self._lock:
            return not self._open

    def __exit__(self, *_: object) -> None:
        self.gate.open()
        with self._lock:
            for one in (self._listener, *self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {client, server}
            asking = _start(self._pass, client, server)
            _start(self._pass_back, server, client, asking)

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := client.recv(_PIECE):
                self.heard.append(piece)
                server.sendall(piece)
        with contextlib.suppress(OSError):  # of a client that was killed, too
            server.shutdown(socket.SHUT_WR)

    def _pass_back(
        self, server: socket.socket, client: socket.socket, asking: threading.Thread
    ) -> None:
        due, passed = 0.0, 0
        with contextlib.suppress(OSError):
            while piece := server.recv(self._room(passed)):
                if self.rate:
                    due = max(due, time.monotonic()) + len(piece) / self.rate
                    time.sleep(max(0.0, due - time.monotonic()))
                self._hand_on(client, memoryview(piece))
                passed += len(piece)
                if self._reset_after and passed >= self._reset_after:
                    _await_arrival(client)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
                    self.resets += 1
                    break
        with self._lock:
            self._open -= {client, server}
        for one in (client, server):  # wakes the other direction, without a word to the client
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RD)
        asking.join(_PATIENCE)  # while it reads, closing would not reset
        client.close()
        server.close()

    def _hand_on(self, client: socket.socket, rest: memoryview) -> None:
        while rest:
            count = self.gate.room(len(rest))
            client.sendall(rest[:count])
            rest = rest[count:]
            with self._lock:
                self.sent += count

    def _room(self, passed: int) -> int:
        return min(_PIECE, self._reset_after - passed) if self._reset_after else _PIECE


def _start(target: object, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def _await_arrival(sock: socket.socket) -> None:
    """Until the other side has acknowledged everything: a reset drops what is still unsent."""
    until = time.monotonic() + _PATIENCE
    left = array.array("i", [1])
    while left[0] and time.monotonic() < until:
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, left)
        time.sleep(0.001)
