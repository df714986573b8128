"""rpm's order of versions: rpm-version(7), `rpmvercmp` and its test table.

`[epoch:]version[-release]`. Version and release are runs of digits and of ASCII letters; all else
only parts them, save `~`, which sorts before the end, and `^`, which sorts behind the end and
before any run. Digits compare as numbers and are newer than letters.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from pinner.inventory.versions.debian import Number, number

Run: TypeAlias = tuple[int, Number | str]
Key: TypeAlias = tuple[Number, tuple[Run, ...], tuple[Run, ...]]

_EPOCH: Final = re.compile(r"([0-9]+):(.*)", re.DOTALL)
_RUN: Final = re.compile(r"(~)|(\^)|([A-Za-z]+)|([0-9]+)")
_TILDE, _END, _CARET, _LETTERS, _DIGITS = range(5)


def key(version: str) -> Key:
    """What sorts as rpm does; any string has one. No epoch is 0; no release sorts first."""
    epoch, rest = "", version
    if match := _EPOCH.fullmatch(version):
        epoch, rest = match.groups()
    upstream, hyphen, release = rest.rpartition("-")
    if not hyphen:
        return number(epoch), _runs(rest), ()
    return number(epoch), _runs(upstream), _runs(release)


def _runs(text: str) -> tuple[Run, ...]:
    return (*map(_run, _RUN.finditer(text)), (_END, ""))


def _run(match: re.Match[str]) -> Run:
    if match[1]:
        return _TILDE, ""
    if match[2]:
        return _CARET, ""
    if match[3]:
        return _LETTERS, match[3]
    return _DIGITS, number(match[4])
