"""Lists in pages: `?n=` and `?last=`, and a `Link` to the next page (distribution-spec)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinner.serve.routes import Window


def page_of(items: Iterable[str], window: Window) -> tuple[list[str], bool]:
    """The items after `window.last`, at most `window.count`, and whether more follow.

    `last` need not be an item that (still) exists. The order is the specification's: alphanumeric,
    without regard to case; items that differ in case alone have a fixed order too.
    """

    def key(item: str) -> tuple[str, str]:
        return item.lower(), item

    ordered = sorted(items, key=key)
    if window.last:
        ordered = [item for item in ordered if key(item) > key(window.last)]
    page = ordered if window.count is None else ordered[: window.count]
    return page, bool(page) and len(page) < len(ordered)


def next_link(path: str, parameters: Mapping[str, str]) -> tuple[str, str]:
    """The header that leads to the next page; parameters without a value are left out."""
    given = {name: value for name, value in parameters.items() if value}
    return "Link", f'<{path}?{urlencode(given)}>; rel="next"'
