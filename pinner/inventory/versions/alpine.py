"""apk's order of versions: apk-package(5), "version".

    number{.number}...{letter}{_suffix{number}}...{~hash}{-r#}

compared part by part. Numbers compare as numbers, but a further number with a leading zero as
text, as digits behind a decimal point do. Where one version has a part and the other another kind
of part, or none, the suffixes alpha, beta, pre and rc are the older; else a number is newer than a
letter, that than a suffix, that than a suffix's number, a hash, a revision, and any part than none.
What does not follow the grammar ends the comparison; as apk-tools does not say which of two such
versions is the newer, the text that is left decides.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from pinner.inventory.versions.debian import Number, number

Part: TypeAlias = tuple[int, Number | str]
Key: TypeAlias = tuple[Part, ...]

_BEFORE: Final = ("alpha", "beta", "pre", "rc")
_AFTER: Final = ("cvs", "svn", "git", "hg", "p")
_RANKS: Final = {
    name: rank
    for rank, name in enumerate(
        (*_BEFORE, "invalid", "end", "revision", "hash", "count", *_AFTER, "letter", "number")
    )
}
_SUFFIX: Final = "|".join((*_BEFORE, *_AFTER))
_VERSION: Final = re.compile(
    r"(?P<numbers>[0-9]++(?:\.[0-9]++)*+)(?P<letter>[a-z]?+)"
    rf"(?P<suffixes>(?:_(?:{_SUFFIX})(?![a-z])[0-9]*+)*+)"
    r"(?P<hash>(?:~[0-9a-f]++)?+)(?P<revision>(?:-r[0-9]++)?+)"
)
_SUFFIXES: Final = re.compile(r"_([a-z]+)([0-9]*)")


def key(version: str) -> Key:
    """What sorts as `apk version -t` does; any string has one."""
    match = _VERSION.match(version)
    if not match:
        return (_part("invalid", version),)
    first, *further = match["numbers"].split(".")
    parts = [_part("number", number(first)), *map(_further, further)]
    if match["letter"]:
        parts.append(_part("letter", match["letter"]))
    for suffix, counted in _SUFFIXES.findall(match["suffixes"]):
        parts.append(_part(suffix, ""))
        if counted:
            parts.append(_part("count", number(counted)))
    if match["hash"]:
        parts.append(_part("hash", match["hash"]))
    if match["revision"]:
        parts.append(_part("revision", number(match["revision"].removeprefix("-r"))))
    left = version[match.end() :]
    return (*parts, _part("invalid", left) if left else _part("end", ""))


def _part(kind: str, value: Number | str) -> Part:
    return _RANKS[kind], value


def _further(digits: str) -> Part:
    """Text where there is a leading zero, and before all that has none: 1.09 < 1.1 < 1.10."""
    return _part("number", (0, digits) if digits.startswith("0") else number(digits))
