"""A fast reader for images.lock exactly as `dumps` writes it.

tomllib needs 70 ms for 1,000 entries; a file that pinner wrote and nobody touched has one form,
which a few patterns read ten times as fast. What differs in a single character is left to tomllib,
so this never decides that a file is wrong. The result is what tomllib gives for the same text, or
the entries one by one, for `direct`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

# What may stand in quotes without meaning anything but itself.
_PLAIN: Final = r'[^"\\\x00-\x1f\x7f]*'
_HEAD: Final = re.compile(
    r"(?:\#[\x20-\x7e]*\n)?version\ =\ (0|[1-9][0-9]{0,8})\nrevision\ =\ (0|[1-9][0-9]{0,8})\n",
    re.VERBOSE,
)
_IMAGE: Final = re.compile(
    rf"""
    \n\[\[image\]\]\n
    name\ =\ "({_PLAIN})"\n
    image\ =\ "({_PLAIN})"\n
    (?:tag\ =\ "({_PLAIN})"\n)?
    digest\ =\ "({_PLAIN})"\n
    (?:all-platforms\ =\ true\nplatform-count\ =\ ([1-9][0-9]{{0,8}})\n)?
    \[image\.platforms\]\n
    ((?:"{_PLAIN}"\ =\ "{_PLAIN}"\n)*)
    """,
    re.VERBOSE,
)
_PLATFORM: Final = re.compile(rf'"({_PLAIN})" = "({_PLAIN})"\n')


class NotCanonical(Exception):  # noqa: N818 - no error: it is to be read another way
    """Text that is not of the written form."""


class Entry(NamedTuple):
    """One `[[image]]`, nothing checked; what the file does not have is None."""

    name: str
    image: str
    tag: str | None
    digest: str
    platform_count: int | None
    platforms: dict[str, str]


def read_head(text: str) -> tuple[int, int, int]:
    """The version, the revision, and where the entries begin.

    Raises:
        NotCanonical: it does not begin as `dumps` writes it.
    """
    head = _HEAD.match(text)
    if head is None:
        raise NotCanonical
    return int(head[1]), int(head[2]), head.end()


def read_entries(text: str, at: int) -> Iterator[Entry]:
    """The entries from this place to the end.

    Raises:
        NotCanonical: there is something else, now or when the next is asked for.
    """
    while at < len(text):
        found = _IMAGE.match(text, at)
        if found is None:
            raise NotCanonical
        at = found.end()
        name, image, tag, digest, count, written = found.groups()
        pairs = _PLATFORM.findall(written)
        platforms = dict(pairs)
        if len(platforms) != len(pairs):
            raise NotCanonical  # the same key twice: tomllib refuses that
        yield Entry(name, image, tag, digest, None if count is None else int(count), platforms)


def read_canonical(text: str) -> dict[str, Any] | None:
    """What tomllib would make of `text`, or None if it is not of the written form."""
    try:
        version, revision, at = read_head(text)
        images = list(map(_table, read_entries(text, at)))
    except NotCanonical:
        return None
    values: dict[str, Any] = {"version": version, "revision": revision}
    if images:
        values["image"] = images
    return values


def _table(entry: Entry) -> dict[str, Any]:
    values: dict[str, Any] = {"name": entry.name, "image": entry.image}
    if entry.tag is not None:
        values["tag"] = entry.tag
    values["digest"] = entry.digest
    if entry.platform_count is not None:
        values |= {"all-platforms": True, "platform-count": entry.platform_count}
    values["platforms"] = entry.platforms
    return values
