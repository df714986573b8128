"""Versions in tags: what a tag says, and which tags satisfy a specifier (design section 2).

    tag     := version ["-" variant]              3.12.7-slim-bookworm
    version := ["v"] number ("." number)* [pre] ["." "post" n] ["." "dev" n]

Everything behind the first hyphen is the variant, so `1.2.3-rc1` is the variant `rc1` of 1.2.3, and
never what PEP 440 would make of `1.0-1`. What is not a version never matches: `latest`, `jdk-21`,
`8u504`, `17.0.20_8`, and what looks like an abbreviated commit (`0a1b2c3`).

A choice never compares tags of different variant, precision (how many numbers the version has) or
form (with or without the leading `v`), nor dates with other versions. Where the wish leaves these
open, they are decided so:

- dates (`20240612`) only where nothing else matches: they are snapshots;
- precision: the highest that any matching tag has, so `22.11.0` and never `22`;
- form: that of the newest match; the one without `v` where both have it;
- how many numbers stand for each wildcard of the variant: as many as in the newest match, so that
  `9.7-1773204619` and `8.7-923.1669829893` do not compete; where it has several, the most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

from pinner.tagpolicy.variants import Numbers, Variant
from pinner.tagpolicy.wish import InvalidWish
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION: Final = re.compile(
    r"(?P<v>v?)"
    r"(?P<release>[0-9]+(?:\.[0-9]+)*)"
    # A lone letter without a number is a release of its own (openssl's 1.1.1k), not a pre-release.
    r"(?:[._]?(?:(?i:rc|alpha|beta|pre|preview)[0-9]*|[abc][0-9]+))?"
    r"(?:\.?post[0-9]+)?"
    r"(?:\.?dev[0-9]*)?",
    re.ASCII,
)
_DATE: Final = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{4}|[0-9]{6})?"
)
_COMMIT: Final = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{7,40}", re.ASCII)
_LONGEST: Final = 200
_EXAMPLE: Final = 'write it like ">=22,<23" or "==22.*"'


@dataclass(frozen=True, slots=True, kw_only=True)
class TagVersion:
    """What a tag says.

    Attributes:
        has_v: whether it begins with `v`.
        precision: how many numbers the version has: 3 for `3.12.7`, 1 for `20240612`.
        variant: what stands behind the first hyphen; empty for none.
    """

    version: Version
    has_v: bool
    precision: int
    variant: str

    @property
    def is_date(self) -> bool:
        """Whether the version begins with a day, and perhaps a time: `20240612`."""
        return _DATE.fullmatch(str(self.version.release[0])) is not None


def parse_tag(tag: str) -> TagVersion | None:
    """What `tag` says, or None if it names no version."""
    version, hyphen, variant = tag.partition("-")
    found = _VERSION.fullmatch(version)
    if found is None or _COMMIT.fullmatch(version) or bool(hyphen) != bool(variant):
        return None
    return TagVersion(
        version=Version(version),
        has_v=bool(found["v"]),
        precision=found["release"].count(".") + 1,
        variant=variant,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMatch:
    """A tag that satisfies a wish.

    Attributes:
        numbers: what stands for each wildcard of the variant.
    """

    tag: str
    said: TagVersion
    numbers: Numbers = ()

    @property
    def group(self) -> tuple[object, ...]:
        """What tags that compete have in common, beside the precision."""
        return self.said.has_v, *map(len, self.numbers)


def rank(matches: Iterable[TagMatch]) -> tuple[str, ...]:
    """The tags that compete with the best one, best first; see the head of this module."""
    found = list(matches)
    found = [match for match in found if not match.said.is_date] or found
    precision = max((match.said.precision for match in found), default=0)
    found = [match for match in found if match.said.precision == precision]
    found.sort(key=lambda match: (match.said.has_v, len(match.tag), match.tag))
    found.sort(key=_newness, reverse=True)  # stable
    return tuple(match.tag for match in found if match.group == found[0].group)


def _newness(match: TagMatch) -> tuple[Version, tuple[int, ...], Numbers]:
    return match.said.version, tuple(map(len, match.numbers)), match.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionWish:
    """Which tags an entry of the spec admits.

    Attributes:
        specifier: a PEP 440 specifier set, as it was written.
        variant: the rest of the tag behind the version, with `*` where numbers may move; empty
            for none.
        precision: how many numbers the version must have; None leaves it open.
    """

    specifier: str
    variant: str = ""
    precision: int | None = None
    _variant: Variant = field(init=False, repr=False, compare=False)
    _specifiers: SpecifierSet = field(init=False, repr=False, compare=False)
    _prereleases: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the wish.

        Raises:
            InvalidWish: the specifier is not one, or variant or precision fit no tag.
        """
        specifiers = _parse_specifier(self.specifier)
        variant = Variant(self.variant)
        if self.precision is not None and self.precision < 1:
            raise InvalidWish(f"no version has {self.precision} numbers")
        object.__setattr__(self, "_variant", variant)
        object.__setattr__(self, "_specifiers", specifiers)
        object.__setattr__(self, "_prereleases", any(map(_names_prerelease, specifiers)))

    def admits(self, tag: str) -> bool:
        """Whether `tag` satisfies this wish, whatever other tags there are."""
        return self._match(tag) is not None

    def ranked(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The tags that satisfy this wish and compete with the best of them, best first.

        The newest version comes first; of one version, the highest numbers in the variant; of the
        same (`1.02`, `1.2`), the shortest tag, then the first by code point.
        """
        return rank(match for match in map(self._match, set(tags)) if match is not None)

    def _match(self, tag: str) -> TagMatch | None:
        # The variant first: for thousands of tags, parsing versions is slow.
        numbers = self._variant.numbers(tag.partition("-")[2])
        said = parse_tag(tag) if numbers is not None else None
        if numbers is None or said is None:
            return None
        if self.precision not in {None, said.precision}:
            return None
        if not self._specifiers.contains(said.version, prereleases=self._prereleases):
            return None
        return TagMatch(tag=tag, said=said, numbers=numbers)

    def __str__(self) -> str:
        """As messages name it: `version ">=22,<23", variant "alpine"`."""
        variant = f', variant "{safe(self.variant)}"' if self.variant else ""
        precision = f", precision {self.precision}" if self.precision is not None else ""
        return f'version "{safe(self.specifier)}"{variant}{precision}'


def _parse_specifier(text: str) -> SpecifierSet:
    shown = safe(text, limit=160)
    try:
        specifiers = SpecifierSet(text[:_LONGEST])
    except InvalidSpecifier as error:
        raise InvalidWish(f'"{shown}" is not a version specifier', mend=_EXAMPLE) from error
    if len(text) > _LONGEST:
        raise InvalidWish(f'"{shown}" is too long for a version specifier')
    if not specifiers:
        raise InvalidWish("is empty", mend='for every version write ">=0"')
    if any(specifier.operator == "===" for specifier in specifiers):
        raise InvalidWish(f'"{shown}" compares text with "==="', mend='write "=="')
    return specifiers


def _names_prerelease(specifier: Specifier) -> bool:
    """Whether a specifier names a pre-release, by which it admits them."""
    version = Version(specifier.version.removesuffix(".*"))
    return specifier.operator != "!=" and version.is_prerelease
