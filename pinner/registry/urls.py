"""URLs as pinner asks for them: where to connect, and a target that is sent as it was given.

Signed download URLs break when a library quotes them anew, so path and query stay the bytes that a
server wrote. Whatever is shown of a URL leaves out the query, which may hold a signature.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from pinner.errors import ProtocolError
from pinner.terminal import safe

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LENGTH_LIMIT: Final = 8 * 1024
# RFC 3986: printable ASCII without spaces; the rest must be percent-encoded.
_PRINTABLE: Final = re.compile(r"[!-~]+", re.ASCII)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", re.ASCII)


class InvalidUrl(ProtocolError, ValueError):  # noqa: N818 - `X.parse` raises `InvalidX`
    """Text that is not a URL that pinner asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What credentials belong to: scheme, host and port together.

    Attributes:
        host: lower case, without the brackets of an IPv6 address.
    """

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host`, or `host:port` where the port is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """An http or https URL.

    Attributes:
        target: path and query, verbatim, beginning with a slash.
    """

    origin: Origin
    target: str

    @classmethod
    def parse(cls, text: str) -> Url:
        """The URL that `text` spells; user, password and fragment are dropped.

        Raises:
            InvalidUrl: another scheme, no host, a bad port, more than 8 KiB, or characters that
                a URL cannot have.
        """
        if len(text) > _LENGTH_LIMIT:
            raise InvalidUrl(f"a URL of {len(text)} characters")
        if not _PRINTABLE.fullmatch(text):
            raise InvalidUrl(f'"{safe(text, limit=120)}" is not a URL')
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise InvalidUrl(f'"{_bare(text)}" is not a URL') from None
        if parts.scheme not in _DEFAULT_PORTS:
            raise InvalidUrl(f'"{_bare(text)}" is neither http nor https')
        if not host or not _HOST.fullmatch(host) or port == 0:
            raise InvalidUrl(f'"{_bare(text)}" names no host')
        query = f"?{parts.query}" if parts.query else ""
        return cls(
            origin=Origin(
                scheme=parts.scheme, host=host.lower(), port=port or _DEFAULT_PORTS[parts.scheme]
            ),
            target=(parts.path or "/") + query,
        )

    def join(self, location: str) -> Url:
        """The URL that a `Location` or `Link` means when it is read here.

        Raises:
            InvalidUrl: as `parse` does.
        """
        wrong = not _PRINTABLE.fullmatch(location) or len(location) > _LENGTH_LIMIT
        if wrong or _SCHEME.match(location):
            return Url.parse(location)
        try:
            joined = urljoin(self._text(), location)
        except ValueError:
            raise InvalidUrl(f'"{_bare(location)}" is not a URL') from None
        return Url.parse(joined)

    def with_target(self, target: str) -> Url:
        """Another path and query at the same origin."""
        return replace(self, target=target)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def _text(self) -> str:
        return f"{self.origin}{self.target}"

    def __str__(self) -> str:
        return safe(f"{self.origin}{self.path}")

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"


def _bare(text: str) -> str:
    """`text` without what may be secret: everything from the query on, and userinfo."""
    shown = re.split(r"[?#]", text, maxsplit=1)[0]
    scheme, slashes, rest = shown.partition("//")
    return safe(scheme + slashes + rest.rpartition("@")[2] if slashes else shown, limit=120)
