"""The registry on a socket: listening, a thread for each connection, and a graceful stop.

open_listener -> Server (a context manager) -> one accepting thread -> one thread a connection
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import InputError
from pinner.serve.connection import Connection, Limits
from pinner.terminal import safe

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from pinner.clock import Clock
    from pinner.serve.message import Request, Response

_BACKLOG: Final = 256
_LAST_WAIT: Final = 1.0


def open_listener(host: str = "127.0.0.1", port: int = 0, *, remote: bool = False) -> socket.socket:
    """A listening socket on an address of this machine.

    Args:
        host: an IP address, or `localhost`.
        port: 0 for any that is free; `getsockname` tells which.
        remote: allow an address that other machines can reach.

    Raises:
        InputError: no address, one that other machines reach without `remote`, or one in use.
    """
    shown = safe(host)
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise InputError(
            f'cannot listen on "{shown}"', mend="give an IP address of this machine, or localhost"
        ) from None
    if not (address.is_loopback or remote):
        raise InputError(
            f"listening on {shown} would let other machines read what is served",
            mend="without that being asked for, only loopback (127.0.0.1, ::1) is listened on",
        )
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    try:
        return socket.create_server((str(address), port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InputError(
            f"cannot listen on {shown} port {port}: {os.strerror(error.errno or 0)}",
            mend="choose another port; 0 takes one that is free",
        ) from error


class Server:
    """Answers requests from the moment it is entered until it is left.

    Leaving stops accepting, closes idle connections at once, lets answers under way finish within
    `Limits.grace`, then cuts what is left. Above `Limits.connections` a client is told to come
    back.
    """

    def __init__(
        self,
        listener: socket.socket,
        handle: Callable[[Request], Response],
        *,
        clock: Clock,
        limits: Limits | None = None,
        observe: Callable[[Request, Response], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare a server; nothing is accepted yet.

        Args:
            listener: from `open_listener`; closed by the server.
            handle: `App.handle`; called from many threads.
            clock: for deadlines and the `Date` header.
            limits: what to spend; the defaults of `Limits` where left out.
            observe: told each request and its response before it is sent, from many threads.
            tls: what to speak TLS with; None for plain http.
        """
        self._listener = listener
        self._handle = handle
        self._clock = clock
        self._limits = limits or Limits()
        self._observe = observe
        self._tls = tls
        self._lock = threading.Lock()
        self._connections: dict[Connection, threading.Thread] = {}
        self._stopping = threading.Event()
        self._waker, self._wakened = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept_all, name="serve", daemon=True)

    @property
    def authority(self) -> str:
        """`host:port`, as references spell a registry."""
        host, port = self._listener.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._waker.send(b"\0")
        self._acceptor.join()
        with self._lock:
            open_now = dict(self._connections)
        for connection in open_now:
            connection.finish()
        deadline = self._clock.monotonic() + self._limits.grace
        self._join(open_now.values(), deadline)
        for connection in open_now:
            connection.cut()
        self._join(open_now.values(), deadline + _LAST_WAIT)
        for opened in (self._listener, self._waker, self._wakened):
            opened.close()

    def _join(self, threads: Iterable[threading.Thread], deadline: float) -> None:
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.monotonic()))

    def _accept_all(self) -> None:
        self._listener.settimeout(0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wakened, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select()
                try:
                    client, (peer, *_) = self._listener.accept()
                except (BlockingIOError, ConnectionError):
                    continue  # it left before it was accepted, or this was the waker
                except OSError:
                    self._clock.sleep(0.1)  # out of descriptors: some will be closed
                    continue
                self._welcome(client, peer)

    def _welcome(self, client: socket.socket, peer: str) -> None:
        if self._tls is not None:
            client = self._tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        answer = functools.partial(self._answer, peer)
        connection = Connection(client, answer, clock=self._clock, limits=self._limits)
        thread = threading.Thread(
            target=self._converse, args=(connection,), name="serve client", daemon=True
        )
        with self._lock:
            full = len(self._connections) >= self._limits.connections
            if not full:
                self._connections[connection] = thread
        if full:
            connection.turn_away()
            return
        try:
            thread.start()
        except RuntimeError:  # the machine has no thread left
            with self._lock:
                del self._connections[connection]
            connection.turn_away()

    def _converse(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    def _answer(self, peer: str, request: Request) -> Response:
        request = dataclasses.replace(request, peer=peer)
        response = self._handle(request)
        if self._observe is not None:
            self._observe(request, response)
        return response
