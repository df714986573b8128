"""The orders of versions of dpkg and rpm, character by character as their C does it.

A second judge beside `pinner.inventory.versions`, which makes keys instead, and faster to ask than
the programs: lib/dpkg/version.c (`order`, `verrevcmp`, `dpkg_version_compare`) and
rpmio/rpmvercmp.c. tests/integration/test_inventory_programs.py judges the judge by the programs.
"""

from __future__ import annotations

from typing import Final

_DIGITS: Final = "0123456789"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BEHIND_LETTERS: Final = 256


def dpkg(one: str, other: str) -> int:
    """-1, 0 or 1, as the first is older, the same or newer."""
    first, second = _parts(one), _parts(other)
    epochs = _compared(int(first[0]), int(second[0]))
    return epochs or _verrevcmp(first[1], second[1]) or _verrevcmp(first[2], second[2])


def rpm(one: str, other: str) -> int:
    """The same of rpm's `rpmvercmp`: a version or a release, without an epoch."""
    a, b = _to_segment(one, 0), _to_segment(other, 0)
    while a < len(one) or b < len(other):
        at_a, at_b = one[a : a + 1], other[b : b + 1]
        if {at_a, at_b} & {"~", "^", ""}:
            if at_a != at_b:
                # Nothing is older than a caret, newer than a tilde, and older than all else.
                ranks = {"~": 0, "": 1, "^": 2}
                return _compared(ranks.get(at_a, 3), ranks.get(at_b, 3))
            a, b = a + 1, b + 1
        else:
            kind = _DIGITS if at_a in _DIGITS else _LETTERS
            end_a, end_b = _end(one, a, kind), _end(other, b, kind)
            if end_b == b:  # of another kind: digits are newer
                return 1 if kind == _DIGITS else -1
            if order := _segments(one[a:end_a], other[b:end_b]):
                return order
            a, b = end_a, end_b
        a, b = _to_segment(one, a), _to_segment(other, b)
    return 0


def _segments(one: str, other: str) -> int:
    if one[0] in _DIGITS:
        one, other = one.lstrip("0"), other.lstrip("0")
        if len(one) != len(other):
            return _compared(len(one), len(other))
    return (one > other) - (one < other)


def _compared(one: int, other: int) -> int:
    return (one > other) - (one < other)


def _parts(version: str) -> tuple[str, str, str]:
    """Epoch, upstream version and revision, as dpkg's `parseversion` takes a version apart."""
    epoch, colon, rest = version.partition(":")
    if not colon or not epoch or set(epoch) - set(_DIGITS):
        epoch, rest = "0", version
    upstream, hyphen, revision = rest.rpartition("-")
    return (epoch, upstream, revision) if hyphen else (epoch, rest, "")


def _order(text: str, at: int) -> int:
    character = text[at : at + 1]
    if not character or character in _DIGITS:
        return 0
    if character in _LETTERS:
        return ord(character)
    return -1 if character == "~" else ord(character) + _BEHIND_LETTERS


def _verrevcmp(one: str, other: str) -> int:
    a, b = 0, 0
    while a < len(one) or b < len(other):
        while _is_other(one, a) or _is_other(other, b):
            first, second = _order(one, a), _order(other, b)
            if first != second:
                return _compared(first, second)
            a, b = a + 1, b + 1
        while one[a : a + 1] == "0":
            a += 1
        while other[b : b + 1] == "0":
            b += 1
        difference = 0
        while _is_digit(one, a) and _is_digit(other, b):
            difference = difference or _compared(ord(one[a]), ord(other[b]))
            a, b = a + 1, b + 1
        if _is_digit(one, a):
            return 1
        if _is_digit(other, b):
            return -1
        if difference:
            return difference
    return 0


def _is_digit(text: str, at: int) -> bool:
    return at < len(text) and text[at] in _DIGITS


def _is_other(text: str, at: int) -> bool:
    return at < len(text) and text[at] not in _DIGITS


def _to_segment(text: str, at: int) -> int:
    while at < len(text) and text[at] not in _DIGITS + _LETTERS + "~^":
        at += 1
    return at


def _end(text: str, at: int, kind: str) -> int:
    while at < len(text) and text[at] in kind:
        at += 1
    return at
