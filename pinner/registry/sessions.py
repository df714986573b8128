"""Upload sessions: where they are, and how far they are (distribution-spec, "Push").

A session's URL is the registry's own word, to be used as it is, query and all. It may lead to
another host, as storage does; credentials then stay behind (`Session.is_own`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pinner.errors import ProtocolError
from pinner.registry.redirects import next_hop
from pinner.registry.urls import InvalidUrl, Url

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.registry.endpoints import Endpoint
    from pinner.registry.reply import Reply

_RANGE: Final = re.compile(r"(?:bytes=)?0-([0-9]{1,19})", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An upload that a registry has begun.

    Attributes:
        url: where it goes on.
        is_own: whether that is the registry itself, which gets its credentials.
        least_chunk: bytes that each part but the last needs to have at least.
    """

    url: Url
    is_own: bool
    least_chunk: int = 0

    @classmethod
    def of(cls, reply: Reply, endpoint: Endpoint) -> Session:
        """The session that an answer (202) opens.

        Raises:
            ProtocolError: no, several or a bad Location; or one that leads where no redirect may:
                from https to http, or into a private network.
        """
        least = reply.headers.get("oci-chunk-min-length", "").strip()
        url = _location(reply, endpoint)
        return cls(
            url=url,
            is_own=url.origin == endpoint.origin,
            least_chunk=int(least) if _LENGTH.fullmatch(least) else 0,
        )

    def moved(self, reply: Reply, endpoint: Endpoint) -> Session:
        """The same session where a later answer says that it goes on; here if it does not say."""
        if "location" not in reply.headers:
            return self
        return replace(Session.of(reply, endpoint), least_chunk=self.least_chunk)

    def closing(self, digest: Digest) -> Url:
        """The URL that ends the session with a blob of this digest."""
        joint = "&" if "?" in self.url.target else "?"
        query = urlencode({"digest": str(digest)})
        return self.url.with_target(f"{self.url.target}{joint}{query}")


def received(reply: Reply) -> int | None:
    """How many bytes of the session the registry has, by the `Range` of its answer.

    `0-0` is what registries say of none, so a lone byte counts as none too.
    """
    stated = _RANGE.fullmatch(reply.headers.get("range", "").strip())
    if stated is None:
        return None
    last = int(stated[1])
    return last + 1 if last else 0


def _location(reply: Reply, endpoint: Endpoint) -> Url:
    locations = reply.headers.get_list("location")
    own = endpoint.origin
    if len(locations) == 1 and own.scheme == "https":
        try:
            found = reply.url.join(locations[0])
        except InvalidUrl:
            found = None
        # The proxy that speaks TLS for a registry did not tell it so.
        if found is not None and (found.origin.scheme, found.origin.host) == ("http", own.host):
            return Url(origin=own, target=found.target)
    try:
        return next_hop(reply.url, locations, asked=endpoint.root())
    except ProtocolError as error:
        error.what = f"it offers an upload, and {error.what.removeprefix('a redirect ')}"
        raise
