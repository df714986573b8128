"""Which proxy a request goes through: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

    NO_PROXY := entry ("," entry)*      also separated by spaces
    entry    := "*"                     everything goes straight
              | ADDRESS | CIDR          10.0.0.0/8, fd00::/8: matches hosts that are addresses
              | [".", "*."] DOMAIN      `dom` matches dom and its subdomains, the others only these
              | entry ":" PORT          the same, for this port; IPv6 in brackets: [::1]:5000

The names may be lower case, and then win, as they do in curl and Go. Loopback is always reached
straight. httpx knows neither CIDR nor `*.`, and fails on IPv6 entries (registries.md 4.3).
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from pinner.errors import InputError
from pinner.registry.addresses import Reach, reach_of
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.registry.urls import Origin

_DEFAULT_PORT: Final = 80
_SEPARATORS: Final = re.compile(r"[,\s]+")
_WITH_PORT: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>[0-9]{1,5})", re.ASCII)

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy.

    Attributes:
        host: without the brackets of an IPv6 address.
        authorization: the value of `Proxy-Authorization`; never shown.
        variable: of the environment, which names it.
    """

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    variable: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """The environment's choice of proxies.

    Attributes:
        http: for plain http.
        https: for https, by CONNECT.
        straight: what is reached without.
    """

    http: Proxy | None = None
    https: Proxy | None = None
    straight: NoProxy

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Proxies:
        """The proxies that environment variables name.

        HTTP_PROXY in upper case is ignored where REQUEST_METHOD is set: in a CGI program the
        `Proxy` header of a request would set it (CVE-2016-5385).

        Raises:
            InputError: a proxy that is not an http URL, such as socks5.
        """
        lone_http = ("http_proxy",) if "REQUEST_METHOD" in environ else ("http_proxy", "HTTP_PROXY")
        fallback = ("all_proxy", "ALL_PROXY")
        return cls(
            http=_named(environ, *lone_http, *fallback),
            https=_named(environ, "https_proxy", "HTTPS_PROXY", *fallback),
            straight=NoProxy.parse(environ.get("no_proxy") or environ.get("NO_PROXY") or ""),
        )

    def proxy_for(self, origin: Origin) -> Proxy | None:
        """The proxy on the way to `origin`; None to go straight."""
        proxy = self.https if origin.scheme == "https" else self.http
        if proxy is None or reach_of(origin.host) is Reach.LOOPBACK:
            return None
        return None if self.straight.covers(origin.host, origin.port) else proxy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of NO_PROXY: a network, or a domain; perhaps for one port alone."""

    network: _Network | None = None
    domain: str = ""
    port: int | None = None

    def covers(self, host: str, address: _Address | None, port: int) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is not None:
            return address is not None and address in self.network
        if self.domain.startswith("."):
            return host.endswith(self.domain)
        return host == self.domain or host.endswith(f".{self.domain}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoProxy:
    """What is reached without a proxy.

    Attributes:
        everything: `*` is among the entries.
    """

    entries: tuple[_Entry, ...] = ()
    everything: bool = False

    @classmethod
    def parse(cls, text: str) -> NoProxy:
        """The value of NO_PROXY; an entry that means nothing matches nothing, as elsewhere."""
        words = [word.lower() for word in _SEPARATORS.split(text) if word]
        return cls(entries=tuple(map(_entry, words)), everything="*" in words)

    def covers(self, host: str, port: int) -> bool:
        """Whether `host` is reached straight at this port.

        Args:
            host: lower case, without brackets.
            port: a number.
        """
        if self.everything:
            return True
        name = host.removesuffix(".")
        address = _address(name)
        return any(entry.covers(name, address, port) for entry in self.entries)


def _entry(word: str) -> _Entry:
    port = None
    if _address(word) is None and (found := _WITH_PORT.fullmatch(word)):
        word, port = found["host"], int(found["port"])
    bare = word.strip("[]")
    try:
        return _Entry(network=ipaddress.ip_network(bare, strict=False), port=port)
    except ValueError:
        return _Entry(domain=bare.removeprefix("*").removesuffix("."), port=port)


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _named(environ: Mapping[str, str], *names: str) -> Proxy | None:
    """The proxy of the first variable that is not empty."""
    name = next((name for name in names if environ.get(name)), None)
    return None if name is None else _parse(environ[name], variable=name)


def _parse(text: str, *, variable: str) -> Proxy:
    """The proxy of `text`; the scheme may be missing. The text may hold a password: not shown."""
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    else:
        if parts.scheme != "http":
            raise InputError(
                f"{safe(parts.scheme, limit=40)} proxies are not supported",
                where=variable,
                mend="name one that is reached over http: http://proxy.example:3128",
            )
    if not host or port == 0:
        raise InputError(
            "is not the URL of a proxy", where=variable, mend="like http://proxy.example:3128"
        )
    return Proxy(
        host=host,
        port=_DEFAULT_PORT if port is None else port,
        authorization=_basic(parts.username, parts.password),
        variable=variable,
    )


def _basic(user: str | None, password: str | None) -> str | None:
    if not user:
        return None
    login = f"{unquote(user)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(login.encode()).decode()
