"""Connections that are used again: our HTTP/1.1 under httpcore's pool.

A connection goes: new, active, idle, active, …, closed. It becomes idle only where the answer was
over and the server keeps the connection; anything else closes it.
"""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import h11
import httpcore

from pinner.errors import ProtocolError, Unavailable
from pinner.registry.http11 import Answer, Timeouts, exchange
from pinner.registry.sockets import ConnectionLost, OpenStreams, Stream
from pinner.registry.urls import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pinner.registry.routes import Route

_BUFFER: Final = 512 * 1024
SLACK: Final = "slack"
"""The extension of a request that says how many more seconds its answer may take."""
_REPEATABLE: Final = frozenset({b"GET", b"HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all connections share.

    Attributes:
        timeouts: how long to wait for what.
        idle_limit: seconds after which an idle connection is not used again.
        monotonic: seconds that never jump.
        streams: every open stream, to be cut together.
    """

    timeouts: Timeouts
    idle_limit: float
    monotonic: Callable[[], float]
    streams: OpenStreams = field(default_factory=OpenStreams)


class Pool(httpcore.ConnectionPool):
    """As many connections as are asked for, all over one route."""

    def __init__(self, route: Route, settings: Settings) -> None:
        super().__init__(max_connections=None)
        self._route = route
        self._settings = settings

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        """A connection that is opened by its first request."""
        return Connection(origin, self._route, self._settings)


def origin_of(origin: httpcore.Origin) -> Origin:
    """The same origin in our terms."""
    return Origin(scheme=origin.scheme.decode(), host=origin.host.decode(), port=origin.port)


class _State(enum.Enum):
    NEW = enum.auto()
    ACTIVE = enum.auto()
    IDLE = enum.auto()
    CLOSED = enum.auto()


class Connection(httpcore.ConnectionInterface):
    """One connection to an origin."""

    def __init__(self, origin: httpcore.Origin, route: Route, settings: Settings) -> None:
        self._origin = origin
        self._route = route
        self._settings = settings
        self._stream: Stream | None = None
        self._buffer = memoryview(b"")
        self._lock = threading.Lock()
        self._state = _State.NEW
        self._idle_since = 0.0

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and read the head of its answer; the body comes with the response.

        Raises:
            httpcore.ConnectionNotAvailable: another request was faster, or a connection that was
                used before is over; the pool takes another one.
            Unavailable: no connection, or it broke before the answer's head was complete.
            ProtocolError: what came is not HTTP, or the request cannot be said in HTTP.
        """
        with self._lock:
            if self._state not in {_State.NEW, _State.IDLE}:
                raise httpcore.ConnectionNotAvailable
            self._state = _State.ACTIVE
        is_first = self._stream is None
        try:
            answer = self._ask(request)
        except ConnectionLost:
            self.close()
            if is_first or request.method not in _REPEATABLE:
                raise
            # The server gave up an idle connection while the request was on its way.
            raise httpcore.ConnectionNotAvailable from None
        except BaseException:
            self.close()
            raise
        return httpcore.Response(
            status=answer.head.status_code,
            headers=answer.head.headers.raw_items(),
            content=cast("Iterable[bytes]", answer),
            extensions={"http_version": b"HTTP/" + answer.head.http_version},
        )

    def _ask(self, request: httpcore.Request) -> Answer:
        settings = self._settings
        if settings.streams.aborted:
            raise Unavailable("the run was stopped")
        try:
            head = h11.Request(
                method=request.method,
                target=self._route.target(request.url),
                headers=[*request.headers, *self._route.headers(request.url)],
            )
        except h11.LocalProtocolError:
            # h11's message repeats the header, which may be a credential.
            raise ProtocolError("cannot be asked for: a header is not HTTP") from None
        if self._stream is None:
            self._stream = self._route.open(
                origin_of(self._origin),
                timeouts=settings.timeouts,
                monotonic=settings.monotonic,
                streams=settings.streams,
            )
            self._buffer = memoryview(bytearray(_BUFFER))
        return exchange(
            self._stream,
            head,
            cast("Iterable[bytes]", request.stream),
            slack=request.extensions.get(SLACK, 0),
            buffer=self._buffer,
            timeouts=settings.timeouts,
            monotonic=settings.monotonic,
            ended=self._ended,
        )

    def _ended(self, reusable: bool) -> None:  # noqa: FBT001 - a callback of one argument
        if not reusable:
            self.close()
            return
        with self._lock:
            self._idle_since = self._settings.monotonic()
            self._state = _State.IDLE

    def close(self) -> None:
        """Close the connection, whatever it is doing."""
        with self._lock:
            self._state = _State.CLOSED
        if self._stream is not None:
            self._stream.close()

    def info(self) -> str:
        """The origin and the state, for debugging."""
        return f"{self._origin}, {self._state.name.lower()}"

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        """Whether this connection leads to that origin."""
        return origin == self._origin

    def is_available(self) -> bool:
        """Whether a request may be sent now."""
        return self._state is _State.IDLE

    def is_idle(self) -> bool:
        """The same: HTTP/1.1 carries one request at a time."""
        return self._state is _State.IDLE

    def is_closed(self) -> bool:
        """Whether the pool can forget this connection."""
        return self._state is _State.CLOSED

    def has_expired(self) -> bool:
        """Whether it was idle for too long, or the server ended it or sent what nobody asked."""
        if self._state is not _State.IDLE or self._stream is None:
            return False
        idle = self._settings.monotonic() - self._idle_since
        return idle > self._settings.idle_limit or self._stream.readable()
