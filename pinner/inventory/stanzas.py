"""Databases of stanzas: `Field: value` lines, an empty line between two packages.

Only the fields that are asked for are looked at, by patterns that never go back, so that the time
is linear in the file's size and the memory is that of the packages. python-debian's Deb822 reads
the same syntax; but on the status file of Debian 12 it takes four times as long (and 0.15 s to be
imported), one byte that is not UTF-8 ends its reading, and two packages in one stanza become one.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from pinner.inventory.formats import FILE_LIMIT, PACKAGES_LIMIT, Database
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pinner.inventory.formats import Files
    from pinner.inventory.model import Package

Stanza: TypeAlias = dict[str, str]
"""The wanted fields that are there, names in lower case; empty where the stanza is ambiguous."""

_SPACE: Final = b" \t\r\n"
_GAP: Final = re.compile(rb"(?:^[ \t\r]*+\n)++", re.MULTILINE)
_VALUE_LIMIT: Final = 1024


class BadStanza(ValueError):  # noqa: N818 - counted, never shown
    """A stanza that does not say which package in which version it is."""


def fields(*names: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[bytes]:
    """The pattern of these fields, each with the lines that continue it."""
    any_name = "|".join(names).encode()
    return re.compile(
        rb"^(" + any_name + rb")[ \t]*+:([^\n]*+(?:\n[ \t]++[^\s][^\n]*+)*+)",
        flags | re.MULTILINE,
    )


def read(
    files: Files,
    paths: Sequence[str],
    pattern: re.Pattern[bytes],
    package: Callable[[str, Stanza], Package | None],
) -> Database:
    """The packages of these files; of one name and architecture the last one counts.

    Args:
        files: of the image.
        paths: which of them to read, in this order.
        pattern: of `fields`.
        package: makes a package of a path and a stanza: None where it is not installed;
            BadStanza where it cannot.
    """
    found: dict[tuple[str, str], Package] = {}
    bad: list[str] = []
    readable = [path for path in paths if len(files[path]) <= FILE_LIMIT]
    stanzas = ((path, each) for path in readable for each in _stanzas(files[path], pattern))
    for path, stanza in islice(stanzas, PACKAGES_LIMIT):
        try:
            entry = package(path, stanza)
        except BadStanza:
            bad.append(path)
        else:
            if entry is not None:
                found[entry.name, entry.architecture] = entry
    notes = [f"{safe(path)} is not read: it is too large" for path in paths if path not in readable]
    if bad:
        notes.append(f"entries that cannot be read, from {safe(bad[0])} on: {len(bad)}")
    if next(stanzas, None):
        notes.append(f"packages after the first {PACKAGES_LIMIT} entries are not read")
    return Database(packages=tuple(found.values()), notes=tuple(notes))


def _stanzas(data: bytes, pattern: re.Pattern[bytes]) -> Iterator[Stanza]:
    data = data.strip(_SPACE)
    start = 0
    while start < len(data):
        gap = _GAP.search(data, start)
        end, following = gap.span() if gap else (len(data), len(data))
        yield _stanza(data, start, end, pattern)
        start = following


def _stanza(data: bytes, start: int, end: int, pattern: re.Pattern[bytes]) -> Stanza:
    stanza: Stanza = {}
    for field in pattern.finditer(data, start, end):
        name = field[1].decode("ascii").lower()
        if name in stanza or field.end(2) - field.start(2) > _VALUE_LIMIT:
            return {}
        try:
            stanza[name] = field[2].decode().strip()
        except UnicodeDecodeError:
            return {}
    return stanza
