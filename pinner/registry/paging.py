"""Tag lists and their pages (distribution-spec, "Listing Tags").

Registries differ: pages come with relative and absolute links, with null or invalid tags, with
links that lead back, and some refuse a page size that others need (registries.md 2.1, 13-15).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.errors import ProtocolError
from pinner.oci import strictjson
from pinner.oci.reference import is_tag
from pinner.oci.strictjson import MalformedJson
from pinner.registry.urls import InvalidUrl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinner.registry.urls import Url

PAGE_SIZE: Final = 1000
PAGE_LIMIT: Final = 1000
BODY_LIMIT: Final = 16 * 1024 * 1024
# One link-value of RFC 8288: <target> and its parameters, up to the next one.
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)


def all_tags(
    first: Url, fetch: Callable[[Url], tuple[Iterable[str], Url | None]]
) -> tuple[str, ...]:
    """The tags of all pages in order, without duplicates.

    Args:
        first: where to begin.
        fetch: the tags of a page, and where the next one is. A page that was seen ends the list.

    Raises:
        ProtocolError: more than 1000 pages.
    """
    tags: dict[str, None] = {}
    seen: set[Url] = set()
    page: Url | None = first
    while page is not None and page not in seen:
        if len(seen) == PAGE_LIMIT:
            raise ProtocolError(
                f"the list of tags has more than {PAGE_LIMIT} pages", where=str(page)
            )
        seen.add(page)
        found, page = fetch(page)
        tags.update(dict.fromkeys(found))
    return tuple(tags)


def read_tags(data: bytes, url: Url) -> tuple[str, ...]:
    """The valid tags of one page.

    Raises:
        ProtocolError: not the document of the specification.
    """
    try:
        document = strictjson.loads(data, BODY_LIMIT)
    except MalformedJson as error:
        raise ProtocolError(f"a list of tags is malformed: {error.what}", where=str(url)) from error
    tags = document.get("tags", []) if isinstance(document, dict) else None
    if tags is None and isinstance(document, dict):
        return ()
    if not isinstance(tags, list):
        raise ProtocolError("a list of tags is malformed: it has no tags", where=str(url))
    return tuple(tag for tag in tags if isinstance(tag, str) and is_tag(tag))


def next_page(links: Sequence[str], current: Url) -> Url | None:
    """Where the next page is; None on the last one.

    Only path and query of the link count, so that it never leads to another host or scheme: behind
    a proxy, registries are known to write their inner name into it.

    Args:
        links: the values of the `Link` headers.
        current: the page that they came with.

    Raises:
        ProtocolError: the link is not a URL.
    """
    for target, parameters in _LINK.findall(", ".join(links)):
        relation = _RELATION.search(parameters)
        if relation and "next" in (relation[1] or relation[2] or "").lower().split():
            try:
                return current.with_target(current.join(target).target)
            except InvalidUrl as error:
                raise ProtocolError(f"a bad link: {error.what}", where=str(current)) from error
    return None
