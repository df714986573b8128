"""An HTTP proxy on loopback that tunnels (CONNECT) to ports on loopback, whatever is asked for."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNKNOWN = b"HTTP/1.1 502 No Such Host\r\n\r\n"


class TunnelProxy:
    """Answers CONNECT by a tunnel to 127.0.0.1; a context manager.

    Attributes:
        heads: the head of each request to the proxy itself, as text.
    """

    def __init__(
        self,
        target: int | Mapping[str, int],
        *,
        answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n",
        rate: float | None = None,
    ) -> None:
        """Tunnel to ports.

        Args:
            target: the port; or ports by the name that is asked for, others are not reached.
            answer: what CONNECT gets; without 200 there is no tunnel.
            rate: bytes a second from the target, for each tunnel; None for all that there are.
        """
        self.heads: list[str] = []
        self._rate = rate
        self._target = target
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        for sock in (self._listener, *self._sockets):
            sock.close()

    def _run(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._run(self._connect, client)

    def _connect(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        self.heads.append(head.decode())
        port = self._port_of(head.decode().split()[1])
        if port is None:
            client.sendall(_UNKNOWN)
            return
        client.sendall(self._answer)
        if b" 200 " in self._answer:
            upstream = socket.create_connection(("127.0.0.1", port))
            self._sockets.append(upstream)
            self._run(_pump, client, upstream)
            self._run(_pump, upstream, client, self._rate)

    def _port_of(self, authority: str) -> int | None:
        """The port of an authority, `name:443`."""
        if isinstance(self._target, int):
            return self._target
        return self._target.get(authority.removesuffix(":443"))


def _pump(source: socket.socket, sink: socket.socket, rate: float | None = None) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            if rate is not None:
                time.sleep(len(piece) / rate)
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
