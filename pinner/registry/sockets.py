"""One connection's bytes: TCP and TLS, read in large pieces into the caller's buffer.

Python hands over at most one TLS record (16 KiB) a call, and plain sockets what one call of the
kernel gives; both are read here until the buffer is full or nothing more is waiting, because each
trip through the interpreter costs as much as some ten kilobytes of SHA-256 (docs/performance.md).

Everything that a socket can raise becomes a `RegistryError` here, naming host and port.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING, Final

from pinner.errors import Unavailable
from pinner.registry.tlserrors import tls_failure
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.oci.digest import Buffer

_KEEPALIVE_IDLE: Final = 30
_KEEPALIVE_INTERVAL: Final = 10
_KEEPALIVE_PROBES: Final = 3


class ConnectionLost(Unavailable):
    """The other side ended the connection."""


class OpenStreams:
    """The streams that are open now, so that another thread can cut them (Ctrl-C)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._aborted = False

    @property
    def aborted(self) -> bool:
        """Whether `abort` was called: nothing may be opened any more."""
        return self._aborted

    def add(self, stream: Stream) -> None:
        """Watch over a stream; one that comes after `abort` is cut at once."""
        with self._lock:
            self._streams.add(stream)
            if self._aborted:
                stream.abort()

    def discard(self, stream: Stream) -> None:
        """Forget a stream that was closed."""
        with self._lock:
            self._streams.discard(stream)

    def abort(self) -> None:
        """Cut every stream: whoever waits for one gets `Unavailable` now."""
        with self._lock:
            self._aborted = True
            for stream in self._streams:
                stream.abort()


class Stream:
    """A connected socket, plain or TLS. Used by one thread at a time, except for `abort`.

    Attributes:
        peer: `host:port` as messages show it.
    """

    def __init__(self, sock: socket.socket, *, peer: str, streams: OpenStreams) -> None:
        """Take over a connected socket.

        Args:
            sock: connected; closed by `close`.
            peer: for messages.
            streams: where the stream can be found to be cut.
        """
        self._sock = sock
        self.peer = peer
        self._streams = streams
        self._timeout: float | None = None
        streams.add(self)

    @classmethod
    def connect(cls, host: str, port: int, *, timeout: float, streams: OpenStreams) -> Stream:
        """Connect by TCP; the addresses of the name are tried in the system's order.

        Raises:
            Unavailable: no such name, nobody there, or no answer within `timeout` seconds.
        """
        peer = safe(f"{host}:{port}")
        try:
            sock = socket.create_connection((host, port), timeout)
        except socket.gaierror as error:
            raise Unavailable(f"the name {safe(host)} was not found: {error.strerror}") from error
        except TimeoutError as error:
            raise Unavailable(f"{peer} did not answer within {timeout:g} s") from error
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"no connection to {peer}: {_reason(error)}") from error
        for option in _options():
            with contextlib.suppress(OSError):  # they help, and nothing depends on them
                sock.setsockopt(*option)
        return cls(sock, peer=peer, streams=streams)

    def start_tls(self, context: ssl.SSLContext, hostname: str, *, timeout: float) -> None:
        """Speak TLS from here on, with a verified certificate for `hostname`.

        Raises:
            Unavailable: the handshake broke or took longer than `timeout` seconds; not transient
                where the certificate is at fault, since asking again changes nothing.
        """
        try:
            self._sock.settimeout(timeout)
            # The plain socket gives its descriptor away: what `abort` cuts during the handshake,
            # which may take long, has to be the new one.
            self._sock = secure = context.wrap_socket(
                self._sock, server_hostname=hostname, do_handshake_on_connect=False
            )
            if self._streams.aborted:
                self.abort()
            secure.do_handshake()
        except (OSError, ValueError) as error:
            self.close()
            raise tls_failure(error, host=safe(hostname), peer=self.peer) from error
        self._timeout = timeout

    def send(self, data: Buffer, *, timeout: float) -> None:
        """Send all of `data`.

        Raises:
            ConnectionLost: it broke.
            Unavailable: the other side did not take all of it within `timeout` seconds.
        """
        with self._converted():
            self._wait_at_most(timeout)
            self._sock.sendall(data)

    def receive_into(self, view: memoryview, *, timeout: float) -> int:
        """Fill `view` from its start with what is there, waiting for the first byte only.

        Returns:
            How many bytes came; 0 at the end of the stream.

        Raises:
            ConnectionLost: it broke.
            Unavailable: nothing came within `timeout` seconds.
        """
        with self._converted():
            self._wait_at_most(timeout)
            count = self._sock.recv_into(view)
            if count and isinstance(self._sock, ssl.SSLSocket):
                count += self._records_at_hand(view[count:])
            return count

    def receive_at_hand(self, view: memoryview) -> int | None:
        """As `receive_into`, without waiting: None where nothing is there.

        Raises:
            ConnectionLost: it broke.
        """
        if not self.readable():
            return None
        with self._converted():
            self._wait_at_most(0)
            try:
                return self._sock.recv_into(view)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None  # a part of a TLS record, or one that carries no data

    def _records_at_hand(self, view: memoryview) -> int:
        """Decrypt further records as long as that needs no waiting."""
        count = 0
        self._wait_at_most(0)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while count < len(view):
                got = self._sock.recv_into(view[count:])
                if not got:
                    break
                count += got
        return count

    def readable(self) -> bool:
        """Whether bytes or an end are waiting; on an idle connection this means that it is over."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def abort(self) -> None:
        """Cut the connection from another thread, waking whoever waits for it."""
        with contextlib.suppress(OSError):
            # The plain socket's method: SSLSocket.shutdown would pull the TLS object away from
            # under the thread that is reading with it.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket; harmless when repeated."""
        self._streams.discard(self)
        self._sock.close()

    def _wait_at_most(self, timeout: float) -> None:
        if timeout != self._timeout:
            self._sock.settimeout(timeout)
            self._timeout = timeout

    @contextlib.contextmanager
    def _converted(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise Unavailable(f"{self.peer} went silent for {self._timeout or 0:g} s") from error
        except OSError as error:
            broke = f"the connection to {self.peer} broke: {_reason(error)}"
            raise ConnectionLost(broke) from error


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return safe((text or str(error) or type(error).__name__).lower())


def _options() -> Iterator[tuple[int, int, int]]:
    yield socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
    yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    # Middleboxes forget silent connections.
    if sys.platform == "darwin":
        yield socket.IPPROTO_TCP, socket.TCP_KEEPALIVE, _KEEPALIVE_IDLE
    else:
        yield socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE
    yield socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_INTERVAL
    yield socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_PROBES
