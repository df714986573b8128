"""Variants: what stands behind a tag's version, letter for letter or with numbers that may move.

    variant  := (literal | "*")+        alpine, alpine*, debian-*-r*, rc*, *
    "*"      := number ("." number)*    a whole run: 3.19, 1773204619; never nothing

A run ends where no digit or dot goes on, so a pattern can be read in one way only. What would make
two of them is refused: a digit beside `*`, or nothing but digits and dots between two of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from pinner.oci.reference import is_tag
from pinner.tagpolicy.wish import InvalidWish
from pinner.terminal import safe

Numbers = tuple[tuple[int, ...], ...]

_RUN: Final = r"([0-9]+(?:\.[0-9]+)*)"
_MOST: Final = 4
_BESIDE_DIGIT: Final = re.compile(r"[0-9]\*|\*[0-9]")
_UNDIVIDED: Final = re.compile(r"\*[0-9.]*\*")


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant, or a pattern of them.

    Attributes:
        text: as it was written; empty for tags without a variant.
    """

    text: str = ""
    _pattern: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the text.

        Raises:
            InvalidWish: no tag ends with it, or its wildcards can be read in two ways.
        """
        if self.text:
            _check(self.text)
        pattern = None
        if "*" in self.text:
            pattern = re.compile(_RUN.join(map(re.escape, self.text.split("*"))))
        object.__setattr__(self, "_pattern", pattern)

    @classmethod
    def parse(cls, text: str) -> Variant:
        """The variant that a spec names, which cannot be empty.

        Raises:
            InvalidWish: as when one is made.
        """
        if not text:
            raise _no_end(text)
        return cls(text)

    def numbers(self, variant: str) -> Numbers | None:
        """The numbers in place of each wildcard, or None if `variant` is not this one."""
        if self._pattern is None:
            return () if variant == self.text else None
        found = self._pattern.fullmatch(variant)
        if found is None:
            return None
        return tuple(tuple(map(int, run.split("."))) for run in found.groups())


def _check(text: str) -> None:
    shown = safe(text, limit=160)
    if text.startswith("-"):
        raise InvalidWish(f'"{shown}" begins with a hyphen', mend="leave the first hyphen out")
    if not is_tag(f"1-{text.replace('*', '0')}"):
        raise _no_end(text)
    if text.count("*") > _MOST:
        raise InvalidWish(f'"{shown}" has more than {_MOST} wildcards')
    if _UNDIVIDED.search(text):
        raise InvalidWish(
            f'"{shown}" has nothing to divide two wildcards',
            mend='one "*" stands for all of 3.19.1',
        )
    if _BESIDE_DIGIT.search(text):
        raise InvalidWish(
            f'"{shown}" has a digit beside a wildcard, which stands for whole numbers',
            mend='write a dot between them: "alpine3.*"',
        )


def _no_end(text: str) -> InvalidWish:
    return InvalidWish(
        f'"{safe(text, limit=160)}" cannot be the end of a tag', mend='write it like "alpine"'
    )
