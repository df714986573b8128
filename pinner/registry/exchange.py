"""What is said between `auth`, which decides, and `wire`, which carries requests to token servers.

The specification is distribution's token authentication: a GET with a query, or a POST with a form
(OAuth 2), answered with a JSON document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pinner.registry.urls import Url


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A request to a token server.

    Attributes:
        method: GET or POST.
        url: with the query, if it is a GET.
        authorization: for the origin of `url` alone; never shown.
        form: the fields of a POST, to be sent urlencoded to the origin of `url` and nowhere else;
            never shown.
    """

    method: str
    url: Url
    authorization: str | None = field(default=None, repr=False)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReply:
    """The answer at the end of all redirects and retries.

    Attributes:
        status: any that asking again does not mend; the others end as errors.
        content_type: the header as it came; "" without one.
        body: undecoded; cut behind the first byte beyond `TOKEN_LIMIT`, so that a reply that is
            too large can be told from one that just fits.
    """

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


TOKEN_LIMIT = 256 * 1024
"""The largest reply in bytes that a token server may give."""

Exchange: TypeAlias = Callable[[TokenRequest], TokenReply]
"""Sends a request, persistently, and follows redirects as everywhere (a POST to no other origin).

It raises `Unavailable` without an answer, `RateLimited` where a longer pause is asked for than
pinner waits, and `ProtocolError` for what is not HTTP or a redirect that is not followed.
"""
