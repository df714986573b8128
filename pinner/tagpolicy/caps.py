"""Caps: how far an update may move a tag that is a version.

The tag of the spec is the floor. A newer tag of the same variant, precision and form is admitted as
long as the numbers in front of those that the cap lets move are the floor's (and dates only for
dates):

    cap     may move                1 number    2 numbers   3 numbers   4 numbers
    patch   the third and further   (none)      (none)      8.1.z       8.1.z.w
    minor   the second and further  (none)      8.y         8.y.z       8.y.z.w
    major   all                     x           x.y         x.y.z       x.y.z.w

A pre-release is admitted only of the floor's own numbers, and only where the floor is one itself:
3.15.0rc1 moves to 3.15.0rc2 and then 3.15.0, and from there to releases alone.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.tagpolicy.versions import TagMatch, TagVersion, parse_tag, rank
from pinner.tagpolicy.wish import InvalidWish
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable


class Cap(enum.Enum):
    """Which numbers of a version may move; the values are what images.toml says."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def kept(self) -> int:
        """How many numbers stay, from the first."""
        return {Cap.PATCH: 2, Cap.MINOR: 1, Cap.MAJOR: 0}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapWish:
    """A tag that looks like a version, and how far it may move.

    Attributes:
        floor: the tag as the spec has it.
    """

    floor: str
    cap: Cap
    _floor: TagVersion = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the floor.

        Raises:
            InvalidWish: it is not a version.
        """
        said = parse_tag(self.floor)
        if said is None:
            raise InvalidWish(f'the tag "{safe(self.floor, limit=160)}" is not a version')
        object.__setattr__(self, "_floor", said)

    def admits(self, tag: str) -> bool:
        """Whether `tag` is the floor, or newer within the cap."""
        return self._match(tag) is not None

    def ranked(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The admitted tags, newest first; the floor is one of them if the registry has it."""
        return rank(match for match in map(self._match, set(tags)) if match is not None)

    def _match(self, tag: str) -> TagMatch | None:
        # The variant first: for thousands of tags, parsing versions is slow.
        if tag.partition("-")[2] != self._floor.variant:
            return None
        said = parse_tag(tag)
        if said is None or not (tag == self.floor or self._is_above(said)):
            return None
        return TagMatch(tag=tag, said=said)

    def _is_above(self, said: TagVersion) -> bool:
        floor, kept = self._floor, self.cap.kept
        numbers, own = said.version.release, floor.version.release
        if (said.has_v, said.precision) != (floor.has_v, floor.precision):
            return False
        if said.is_date != floor.is_date:
            return False
        if said.version.is_prerelease and (numbers != own or not floor.version.is_prerelease):
            return False
        return said.version > floor.version and numbers[:kept] == own[:kept]

    def __str__(self) -> str:
        """As messages name it: `tag "22.11.0-alpine", update "minor"`."""
        return f'tag "{safe(self.floor)}", update "{self.cap.value}"'
