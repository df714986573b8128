"""Tags that a regular expression admits, for those that are no versions (design section 2).

    tags = '^jdk-(?P<version>[0-9.]+)-alpine$'

The whole tag must match. Which is newest, the groups say: `version` holds numbers that `.`, `_`,
`-` or `+` divide, or `major`, `minor` and `patch` hold them apart; `build` and `revision` come
behind either. Tags with other counts of numbers than the newest has do not compete.

A group `variant` is for readers: it must be literal, so that no update changes the variant. What
stands outside of groups is not compared either, so a variant is best written out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.tagpolicy.expressions import (
    DIGITS,
    Named,
    Node,
    One,
    Sequence,
    children,
    parse_expression,
)
from pinner.tagpolicy.machine import Machine, Steps, TooManySteps
from pinner.tagpolicy.wish import InvalidWish
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinner.tagpolicy.variants import Numbers

_APART: Final = ("major", "minor", "patch")
GROUPS: Final = ("version", *_APART, "build", "revision")
"""The groups that hold numbers, in the order in which they are compared."""

_NUMBERS: Final = re.compile(r"[._+-]*[0-9][0-9._+-]*")
_NAMES: Final = ", ".join((*GROUPS, "variant"))
# 100,000 usual tags that all match take as many, in some seconds; those that do not, a step or two.
_STEPS: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternWish:
    """The tags that an expression admits.

    Attributes:
        expression: as it was written.
    """

    expression: str
    _machine: Machine = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the expression.

        Raises:
            InvalidWish: it is none, is too large, or its groups do not say what is newest.
        """
        node = parse_expression(self.expression)
        _check_groups(node)
        object.__setattr__(self, "_machine", Machine(node))

    def admits(self, tag: str) -> bool:
        """Whether `tag` matches, and has numbers in its groups."""
        return self._numbers(tag, Steps(_STEPS)) is not None

    def ranked(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The tags that match and compete with the newest of them, newest first.

        Of those with the same numbers the shortest comes first, then the first by code point.

        Raises:
            InputError: the expression takes too many steps over these tags.
        """
        steps = Steps(_STEPS)
        different = sorted(set(tags), key=lambda tag: (len(tag), tag))
        try:
            found = [(tag, self._numbers(tag, steps)) for tag in different]
        except TooManySteps as error:
            raise InputError(
                f"{self} takes too many steps over {len(different)} tags",
                mend='say more exactly what may stand there: "[0-9]+" rather than ".*"',
            ) from error
        matches = [(tag, numbers) for tag, numbers in found if numbers is not None]
        matches.sort(key=lambda match: match[1], reverse=True)  # stable
        return tuple(tag for tag, numbers in matches if _shape(numbers) == _shape(matches[0][1]))

    def _numbers(self, tag: str, steps: Steps) -> Numbers | None:
        groups = self._machine.match(tag, steps)
        if groups is None:
            return None
        texts = [groups[name] for name in GROUPS if name in groups]
        if not texts or not all(map(_NUMBERS.fullmatch, texts)):
            return None
        return tuple(tuple(map(int, re.findall("[0-9]+", groups.get(name, "")))) for name in GROUPS)

    def __str__(self) -> str:
        """As messages name it: `tags "^jdk-…$"`."""
        return f'tags "{safe(self.expression, limit=160)}"'


def _shape(numbers: Numbers) -> tuple[int, ...]:
    return tuple(map(len, numbers))


def _check_groups(node: Node) -> None:
    groups = {group.name: group for group in _named(node)}
    for name, group in groups.items():
        if name == "variant":
            if group not in children(node) or not _is_literal(group.part):
                raise InvalidWish(
                    "group variant may be one or another, and an update would change it",
                    mend="write it out, without choices, or use another entry for each",
                )
        elif name not in GROUPS:
            raise InvalidWish(f'"{safe(name)}" is not a group of tags', mend=f"groups are {_NAMES}")
        elif not any(one.characters & DIGITS for one in _ones(group)):
            raise InvalidWish(f"group {name} can hold no number", mend="numbers say what is newest")
    if groups.keys() <= {"variant"}:
        raise InvalidWish(
            "no group says what is newest", mend="write (?P<version>…) around the numbers"
        )
    if "version" in groups and groups.keys() & set(_APART):
        raise InvalidWish("has a group version and its numbers apart", mend="leave one of them out")


def _is_literal(node: Node) -> bool:
    return isinstance(node, Sequence) and all(
        isinstance(part, One) and len(part.characters) == 1 for part in node.parts
    )


def _named(node: Node) -> Iterator[Named]:
    if isinstance(node, Named):
        yield node
    for child in children(node):
        yield from _named(child)


def _ones(node: Node) -> Iterator[One]:
    if isinstance(node, One):
        yield node
    for child in children(node):
        yield from _ones(child)
