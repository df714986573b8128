"""The way to an origin: straight, or through a proxy.

Plain http goes through a proxy in absolute form, https through a tunnel (CONNECT) that the proxy
cannot look into. Only the proxy sees the proxy's credentials.
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import h11

from pinner.errors import RegistryError, Unavailable
from pinner.registry.http11 import Timeouts, exchange
from pinner.registry.sockets import OpenStreams, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpcore

    from pinner.registry.proxies import Proxy
    from pinner.registry.urls import Origin

_HEAD_BUFFER: Final = 16 * 1024
_OK: Final = range(200, 300)
_LOGIN_WANTED: Final = 407


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How to reach an origin.

    Attributes:
        context: for the origin's TLS; None for plain http.
        proxy: None to connect straight.
    """

    context: ssl.SSLContext | None = field(repr=False)
    proxy: Proxy | None = None

    def open(
        self,
        origin: Origin,
        *,
        timeouts: Timeouts,
        monotonic: Callable[[], float],
        streams: OpenStreams,
    ) -> Stream:
        """A stream on which the origin, or the proxy that forwards to it, takes requests.

        Raises:
            Unavailable: no connection, no tunnel, or no trustworthy TLS; names the proxy where
                that is what failed.
            ProtocolError: the proxy does not speak HTTP.
        """
        host, port = origin.host, origin.port
        if self.proxy is None:
            stream = Stream.connect(host, port, timeout=timeouts.connect, streams=streams)
        else:
            with _through(self.proxy):
                stream = Stream.connect(
                    self.proxy.host, self.proxy.port, timeout=timeouts.connect, streams=streams
                )
        try:
            if origin.scheme == "https":
                if self.proxy is not None:
                    with _through(self.proxy):
                        _tunnel(stream, self.proxy, origin, timeouts, monotonic)
                stream.start_tls(
                    self.context or ssl.create_default_context(), host, timeout=timeouts.connect
                )
        except BaseException:
            stream.close()
            raise
        return stream

    def target(self, url: httpcore.URL) -> bytes:
        """The request's target: absolute where a proxy forwards it, else path and query."""
        return bytes(url) if self._forwards(url) else url.target

    def headers(self, url: httpcore.URL) -> list[tuple[bytes, bytes]]:
        """The headers that the way itself needs on every request for `url`."""
        return _login(self.proxy) if self.proxy is not None and self._forwards(url) else []

    def _forwards(self, url: httpcore.URL) -> bool:
        return self.proxy is not None and url.scheme == b"http"


def _tunnel(
    stream: Stream,
    proxy: Proxy,
    origin: Origin,
    timeouts: Timeouts,
    monotonic: Callable[[], float],
) -> None:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    authority = f"{host}:{origin.port}"
    request = h11.Request(
        method="CONNECT", target=authority, headers=[(b"Host", authority.encode()), *_login(proxy)]
    )
    answer = exchange(
        stream,
        request,
        (),
        buffer=memoryview(bytearray(_HEAD_BUFFER)),
        timeouts=timeouts,
        monotonic=monotonic,
        ended=lambda _: None,
    )
    status = answer.head.status_code
    if status in _OK:
        return
    refused = Unavailable(f"no tunnel to {authority}: it answered {status}")
    if status == _LOGIN_WANTED:
        refused = Unavailable(
            f"no tunnel to {authority}: it wants a login (407)",
            mend="credentials go into the proxy's URL: http://user:password@proxy:port",
        )
    refused.transient = status not in range(400, 500)
    raise refused


def _login(proxy: Proxy) -> list[tuple[bytes, bytes]]:
    if proxy.authorization is None:
        return []
    return [(b"Proxy-Authorization", proxy.authorization.encode())]


@contextlib.contextmanager
def _through(proxy: Proxy) -> Iterator[None]:
    """Say of whatever fails here that it is the proxy."""
    try:
        yield
    except RegistryError as error:
        error.what = f"proxy {proxy.host}:{proxy.port}: {error.what}"
        raise
