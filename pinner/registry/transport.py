"""httpx's transport over our connections: one pool for each way to a host."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import httpcore
import httpx

from pinner.registry.connections import Pool, Settings, origin_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pinner.registry.routes import Route
    from pinner.registry.urls import Origin


class Transport(httpx.BaseTransport):
    """Carries requests over pooled HTTP/1.1 connections, each over the route to its host.

    Bodies come undecoded, as views that are valid until the next one is asked for.
    """

    def __init__(self, route_to: Callable[[Origin], Route], settings: Settings) -> None:
        """Open nothing yet.

        Args:
            route_to: the route to an origin; equal routes share connections.
            settings: what all connections share.
        """
        self._route_to = route_to
        self._settings = settings
        self._pools: dict[Route, Pool] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; returns with the answer's head.

        Raises:
            Unavailable, ProtocolError: as `Connection.handle_request` says.
        """
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = self._pool(asked.url.origin).handle_request(asked)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def _pool(self, origin: httpcore.Origin) -> Pool:
        route = self._route_to(origin_of(origin))
        with self._lock:
            pool = self._pools.get(route)
            if pool is None:
                pool = self._pools[route] = Pool(route, self._settings)
            return pool

    def abort(self) -> None:
        """Cut every connection now; from any thread."""
        self._settings.streams.abort()

    def close(self) -> None:
        """Close the connections that no request uses."""
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(cast("Iterable[bytes]", self._answer.stream))

    def close(self) -> None:
        self._answer.close()
