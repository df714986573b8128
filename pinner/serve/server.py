"""The registry on a socket: listening, a thread for each connection, and a graceful stop.

open_listener -> Server (a context manager) -> one accepting thread -> one thread a connection

A full server makes room: the connection that has waited longest for its client's next request is
closed. Clients open connections and keep them, so this is what they expect of any server; and
clients that send nothing, however many, keep nobody out.
"""

from __future__ import annotations

import contextlib
import operator
import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import InputError
from pinner.serve.address import ip_address
from pinner.serve.channel import Channel
from pinner.serve.connection import Connection, Limits
from pinner.serve.tls import TlsChannel
from pinner.terminal import safe

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from pinner.clock import Clock
    from pinner.serve.message import Request, Response, Sent

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
    address = ip_address(host)
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

    Leaving stops accepting, closes waiting connections at once, lets answers under way finish
    within `Limits.grace`, then cuts what is left; an exception meanwhile, such as Ctrl-C, or `cut`
    ends the grace. With `Limits.connections` answers under way, a client is told to come back.

    Attributes:
        authority: `host:port`, as references spell a registry.
    """

    def __init__(
        self,
        listener: socket.socket,
        handle: Callable[[Request], Response],
        *,
        clock: Clock,
        limits: Limits | None = None,
        observe: Callable[[Request, Response], None] | None = None,
        finished: Callable[[Request, Response, Sent], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare a server; nothing is accepted yet.

        Args:
            listener: from `open_listener`; closed by the server.
            handle: `App.handle`; called from many threads.
            clock: for deadlines and the `Date` header.
            limits: what to spend; the defaults of `Limits` where left out.
            observe: told each request and its response before it is sent, from many threads.
            finished: told each request, the response that was sent, and how far that got.
            tls: from `tls.server_context`; plain http where left out. `renew_tls` replaces it.
        """
        self._listener = listener
        self._handle = handle
        self._clock = clock
        self._limits = limits or Limits()
        self._observe = observe
        self._finished = finished
        self._tls = tls
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._stopping = False
        self._cutting = False
        self._waker, self._wakened = socket.socketpair()
        self._waker.settimeout(0)
        self._acceptor = threading.Thread(target=self._accept_all, name="serve", daemon=True)
        host, port = listener.getsockname()[:2]
        self.authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def cut(self) -> None:
        """End the grace, if the server is being left; from a signal handler or any thread."""
        self._cutting = True
        if self._stopping:
            self._wake()

    def renew_tls(self, context: ssl.SSLContext) -> None:
        """Show this certificate to whoever connects from now on; from any thread."""
        self._tls = context

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._wake()
        try:
            self._acceptor.join()
            self._listener.close()  # from now on the port refuses, instead of keeping in line
            for connection in self._open_now():
                connection.finish()
            self._wait_for_end(self._clock.monotonic() + self._limits.grace)
        finally:
            for connection in self._open_now():
                connection.cut()
            self._wait_for_end(self._clock.monotonic() + _LAST_WAIT, to_the_last=True)
            for opened in (self._listener, self._waker, self._wakened):
                opened.close()

    def _open_now(self) -> list[Connection]:
        with self._lock:
            return list(self._connections)

    def _wait_for_end(self, deadline: float, *, to_the_last: bool = False) -> None:
        """Return when no connection is left, at the deadline, or when `cut` ends the grace."""
        while self._open_now() and (to_the_last or not self._cutting):
            remaining = deadline - self._clock.monotonic()
            if remaining <= 0:
                return
            self._wakened.settimeout(remaining)
            with contextlib.suppress(TimeoutError):
                self._wakened.recv(1)

    def _wake(self) -> None:
        # No lock, so that a signal handler may: it may interrupt whoever holds one.
        with contextlib.suppress(OSError):  # awake already, or left
            self._waker.send(b"\0")

    def _accept_all(self) -> None:
        self._listener.settimeout(0)
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wakened, selectors.EVENT_READ)
            while not self._stopping:
                selector.select()
                try:
                    client, address = self._listener.accept()
                except (BlockingIOError, ConnectionError):
                    continue  # it left before it was accepted, or this was the waker
                except OSError:
                    self._clock.sleep(0.1)  # out of descriptors: some will be closed
                    continue
                self._welcome(client, peer=address[0])

    def _welcome(self, client: socket.socket, *, peer: str) -> None:
        try:
            channel = self._channel(client)
        except OSError:  # it has left
            client.close()
            return
        connection = Connection(
            channel,
            self._answer,
            peer=peer,
            clock=self._clock,
            limits=self._limits,
            finished=self._finished,
        )
        thread = threading.Thread(
            target=self._converse, args=(connection,), name="serve client", daemon=True
        )
        with self._lock:
            admitted = self._has_room()
            if admitted:
                self._connections.add(connection)
        if not admitted:
            connection.turn_away()
            return
        try:
            thread.start()
        except RuntimeError:  # the machine has no thread left
            with self._lock:
                self._connections.discard(connection)
            connection.turn_away()

    def _channel(self, client: socket.socket) -> Channel:
        patience = self._limits.patience
        if self._tls is None:
            return Channel(client, patience=patience)
        client.getpeername()  # raises where it has left, which `wrap_socket` does not handle well
        return TlsChannel(client, self._tls, patience=patience)

    def _has_room(self) -> bool:
        """Whether one more fits; the one that has waited longest may have to go for it."""
        if len(self._connections) < self._limits.connections:
            return True
        waiting = [
            (since, connection)
            for connection in self._connections
            if (since := connection.waiting_since) is not None
        ]
        for _, connection in sorted(waiting, key=operator.itemgetter(0)):
            if connection.finish():
                self._connections.discard(connection)  # its thread ends by itself, at once
                return True
        return False

    def _converse(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                self._connections.discard(connection)
            if self._stopping:
                self._wake()

    def _answer(self, request: Request) -> Response:
        response = self._handle(request)
        if self._observe is not None:
            self._observe(request, response)
        return response
