"""Debian's order of versions: policy 5.6.12, deb-version(7).

`[epoch:]upstream[-revision]`: the epoch is a number, the revision stands after the last hyphen, and
no epoch or revision is the same as 0. Both parts are compared run by run, first what is not digits,
then the digits as a number; of what is not digits, `~` sorts before the end, the end before
letters, letters before the rest.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Number: TypeAlias = tuple[int, str]
"""Digits by how many there are without leading zeros, then by what they are; never an `int`, since
that takes time by the square of their number."""
Run: TypeAlias = tuple[tuple[int, ...], Number]
Key: TypeAlias = tuple[Number, tuple[Run, ...], tuple[Run, ...]]

_EPOCH: Final = re.compile(r"([0-9]+):(.*)", re.DOTALL)
_RUN: Final = re.compile(r"([^0-9]*+)([0-9]*+)")
_END_OF_TEXT: Final = 0
_OTHERS: Final = 0x100
_END: Final[Run] = ((_END_OF_TEXT,), (0, ""))


def key(version: str) -> Key:
    """What sorts as `dpkg --compare-versions` does; any string has one."""
    epoch, rest = "", version
    if match := _EPOCH.fullmatch(version):
        epoch, rest = match.groups()
    upstream, hyphen, revision = rest.rpartition("-")
    if not hyphen:
        upstream, revision = rest, ""
    return number(epoch), _runs(upstream), _runs(revision)


def number(digits: str) -> Number:
    """A key of a number in ASCII digits; none is zero."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _runs(text: str) -> tuple[Run, ...]:
    """The runs, and one end behind them that stands for all the nothing which follows.

    Only the first run can be nothing where others follow it, as in `0~`, so it always stays.
    """
    first, *runs = [(_words(words), number(digits)) for words, digits in _RUN.findall(text)]
    while runs and runs[-1] == _END:
        runs.pop()
    return (first, *runs, _END)


def _words(text: str) -> tuple[int, ...]:
    return (*map(_weight, text), _END_OF_TEXT)


def _weight(character: str) -> int:
    if character == "~":
        return _END_OF_TEXT - 1
    if character.isascii() and character.isalpha():
        return ord(character)
    return ord(character) + _OTHERS
