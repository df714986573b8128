"""Which redirects are followed, and where to (faults.md D01-D14).

A blob's 307 to a storage host is everyday; the same mechanism, left unguarded, sends credentials
to strangers and requests into the user's own network. The decision is made here, from values
alone; `courier` carries it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.errors import ProtocolError
from pinner.registry.addresses import Reach, reach_of
from pinner.registry.urls import InvalidUrl, Url

if TYPE_CHECKING:
    from collections.abc import Sequence

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
KEEPING: Final = frozenset({307, 308})
"""The redirects that keep method and body."""
HOP_LIMIT: Final = 5


def next_hop(current: Url, locations: Sequence[str], *, asked: Url) -> Url:
    """Where the answer of `current` leads.

    Args:
        current: who answered.
        locations: the values of every `Location` header.
        asked: the URL that the request began with, whose host the user has chosen.

    Raises:
        ProtocolError: no, several or a bad Location; from https to http; or from outside into a
            private network.
    """
    if len(locations) != 1:
        count = "no" if not locations else "more than one"
        raise ProtocolError(f"a redirect with {count} Location", where=str(current))
    try:
        target = current.join(locations[0])
    except InvalidUrl as error:
        raise ProtocolError(f"a redirect to {error.what}", where=str(current)) from error
    if current.origin.scheme == "https" and target.origin.scheme == "http":
        raise ProtocolError(
            f"a redirect from https to http is not followed: {target}", where=str(current)
        )
    reach = reach_of(target.origin.host)
    if reach is not Reach.PUBLIC and reach is not reach_of(asked.origin.host):
        raise ProtocolError(
            f"a redirect to a {reach.value} address is not followed: {target}",
            where=str(current),
        )
    return target
