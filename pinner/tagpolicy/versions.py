"""Versions in tags: what a tag says, and which tags satisfy a specifier (design section 2).

    tag     := version ["-" variant]              3.12.7-slim-bookworm
    version := ["v"] number ("." number)* [pre] ["." "post" n] ["." "dev" n]

Everything behind the first hyphen is the variant, so `1.2.3-rc1` is the variant `rc1` of 1.2.3, and
never what PEP 440 would make of `1.0-1`. What is not a version never matches: `latest`, `jdk-21`,
`8u504`, `17.0.20_8`, and what looks like an abbreviated commit (`0a1b2c3`).

A choice never compares tags of different variant, precision (how many numbers the version has) or
form (with or without the leading `v`). Where the wish leaves these open, they are decided so:

- precision: the highest that any matching tag has, so `22.11.0` and never `22`;
- form: that of the newest match; the one without `v` where both have it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

from pinner.oci.reference import is_tag
from pinner.tagpolicy.wish import InvalidWish
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION: Final = re.compile(
    r"(?P<v>v?)"
    r"(?P<release>[0-9]+(?:\.[0-9]+)*)"
    # A lone letter without a number is a release of its own (openssl's 1.1.1k), not a pre-release.
    r"(?:[._]?(?:(?:rc|alpha|beta|pre|preview)[0-9]*|[abc][0-9]+))?"
    r"(?:\.?post[0-9]+)?"
    r"(?:\.?dev[0-9]*)?",
    re.ASCII,
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
class VersionWish:
    """Which tags an entry of the spec admits.

    Attributes:
        specifier: a PEP 440 specifier set, as it was written.
        variant: the literal rest of the tag behind the version; empty for none.
        precision: how many numbers the version must have; None leaves it open.
    """

    specifier: str
    variant: str = ""
    precision: int | None = None
    _specifiers: SpecifierSet = field(init=False, repr=False, compare=False)
    _prereleases: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the wish.

        Raises:
            InvalidWish: the specifier is not one, or variant or precision fit no tag.
        """
        specifiers = _parse_specifier(self.specifier)
        if self.variant:
            parse_variant(self.variant)
        if self.precision is not None and self.precision < 1:
            raise InvalidWish(f"no version has {self.precision} numbers")
        object.__setattr__(self, "_specifiers", specifiers)
        object.__setattr__(self, "_prereleases", any(map(_names_prerelease, specifiers)))

    def admits(self, tag: str) -> bool:
        """Whether `tag` satisfies this wish, whatever other tags there are."""
        found = parse_tag(tag)
        return found is not None and self._admits(found)

    def ranked(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The tags that satisfy this wish and compete with the newest of them, newest first.

        Of tags for one version (`1.02`, `1.2`) the shortest comes first, then the first by code
        point.
        """
        found = ((tag, parse_tag(tag)) for tag in set(tags) if self._may_admit(tag))
        matches = [(tag, said) for tag, said in found if said is not None and self._admits(said)]
        if not matches:
            return ()
        precision = max(said.precision for _, said in matches)
        group = [(tag, said) for tag, said in matches if said.precision == precision]
        group.sort(key=lambda match: (match[1].has_v, len(match[0]), match[0]))
        group.sort(key=lambda match: match[1].version, reverse=True)  # stable
        return tuple(tag for tag, said in group if said.has_v == group[0][1].has_v)

    def _may_admit(self, tag: str) -> bool:
        """What can be said before the version is parsed, which is slow for thousands of tags."""
        return tag.partition("-")[2] == self.variant

    def _admits(self, said: TagVersion) -> bool:
        return (
            said.variant == self.variant
            and self.precision in {None, said.precision}
            and self._specifiers.contains(said.version, prereleases=self._prereleases)
        )

    def __str__(self) -> str:
        """As messages name it: `version ">=22,<23", variant "alpine"`."""
        variant = f', variant "{safe(self.variant)}"' if self.variant else ""
        precision = f", precision {self.precision}" if self.precision is not None else ""
        return f'version "{safe(self.specifier)}"{variant}{precision}'


def parse_variant(text: str) -> str:
    """A variant as it is.

    Raises:
        InvalidWish: no tag ends with it.
    """
    if text.startswith("-"):
        raise InvalidWish(
            f'"{safe(text, limit=160)}" begins with a hyphen', mend="leave the first hyphen out"
        )
    if not text or not is_tag(f"1-{text}"):
        raise InvalidWish(
            f'"{safe(text, limit=160)}" cannot be the end of a tag', mend='write it like "alpine"'
        )
    return text


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
