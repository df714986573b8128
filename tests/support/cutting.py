"""A TCP proxy that breaks connections once a client has sent so much over one.

with Cutter(registry.address, at=(2_000_000, 3_000_000)) as front:
    ...                                    # front.address; the third connection is left whole
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_PIECE: Final = 64 * 1024
_ABORTIVE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close sends RST


class Cutter:
    """Listens on 127.0.0.1 and forwards to `address`.

    Attributes:
        cuts: how many connections were broken so far.
    """

    def __init__(self, address: str, *, at: Sequence[int]) -> None:
        """Break the next connection that sends as much as `at` says, one for each number."""
        host, _, port = address.rpartition(":")
        self._upstream = (host, int(port))
        self._left = list(at)
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.cuts = 0

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server:
            answers = threading.Thread(target=_copy, args=(server, client))
            answers.start()
            self._forward(client, server)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            answers.join()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := client.recv(_PIECE):
                server.sendall(data)
                sent += len(data)
                if self._is_cut(sent):
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
                    return

    def _is_cut(self, sent: int) -> bool:
        with self._lock:
            if self._left and sent >= self._left[0]:
                self.cuts += 1
                del self._left[0]
                return True
            return False


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
