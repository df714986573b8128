"""Fixes that Debian changelogs name: deb-changelog(5), Debian policy 4.4 and 12.7.

    source (version) suites; urgency=medium
      * Text, with CVE ids.
     -- Maintainer <address>  date

The image has them gzipped as `usr/share/doc/PACKAGE/changelog.Debian.gz`, of native packages as
`changelog.gz`; builds of one architecture alone (`+b1`) have theirs beside it, and packages of one
source share a folder by a link. The versions are those of the source, and so are the ones that are
looked for. Slim images drop the folder whole.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from pinner.inventory.changelog import (
    UPGRADES_LIMIT,
    between,
    entries,
    wants_changelog,
)
from pinner.inventory.formats import Fixes
from pinner.inventory.versions import debian

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinner.inventory.changelog import Entry
    from pinner.inventory.formats import Files, Upgrade
    from pinner.inventory.model import Fix, Package

TEXT_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of one changelog, unpacked; of a longer one the older entries are not read."""
_ALL_TEXTS_LIMIT: Final = 256 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS

_HEADING: Final = re.compile(
    r"^([A-Za-z0-9][A-Za-z0-9+.-]{0,254})[ \t]++\(([^()\s]{1,255})\)[^;\n]*+;([^\n]*+)",
    re.MULTILINE,
)
_URGENCY: Final = re.compile(r"\burgency=(low|medium|high|emergency|critical)\b", re.IGNORECASE)

_Source: TypeAlias = tuple[str, str]


def fixes(upgrades: Sequence[Upgrade], installed: Iterable[Package], files: Files) -> Fixes:
    """For each source in a new version, of the first package of it that has a changelog.

    One changelog serves all packages of a source in one version: they are built together.
    """
    shelf = _Shelf(installed, files)
    found: dict[Package, tuple[Fix, ...]] = {}
    for source, of_source in _by_source(upgrades[:UPGRADES_LIMIT]).items():
        changelog = shelf.changelog(source)
        if changelog:
            found |= {upgrade.after: between(changelog, upgrade) for upgrade in of_source}
    notes = []
    if shelf.is_exhausted or len(upgrades) > UPGRADES_LIMIT:
        notes.append("some changelogs are not read: there are too many, or they are too long")
    return Fixes(found=found, notes=tuple(notes))


class _Shelf:
    """The changelogs of an image, unpacked one after the other until it has been enough."""

    def __init__(self, installed: Iterable[Package], files: Files) -> None:
        self._files = files
        self._left = _ALL_TEXTS_LIMIT
        self._own: dict[str, list[str]] = defaultdict(list)
        self._plain: dict[str, list[str]] = defaultdict(list)
        for path in sorted(filter(wants_changelog, files)):
            folder, _, name = path.rpartition("/")
            (self._own if ".Debian" in name else self._plain)[folder].append(path)
        self._packages: dict[_Source, list[str]] = defaultdict(list)
        for package in installed:
            self._packages[package.source, package.source_version].append(package.name)

    @property
    def is_exhausted(self) -> bool:
        """Whether changelogs were left unread since all together were too long."""
        return self._left <= 0

    def changelog(self, source: _Source) -> list[Entry]:
        """The entries of the first package of this source that has some; empty without any."""
        for package in self._packages[source]:
            for paths in (self._own, self._plain):
                found = [
                    entry
                    for path in paths.get(f"usr/share/doc/{package}", ())
                    for entry in parse(self._text(path), source[0])
                ]
                if found:
                    return found
        return []

    def _text(self, path: str) -> str:
        if self.is_exhausted:
            return ""
        text = unpack(self._files[path])
        self._left -= len(text) + len(self._files[path])
        return text


def unpack(data: bytes) -> str:
    """The text of a changelog, cut at `TEXT_LIMIT`; empty where it is packed and damaged.

    Old entries are in several encodings; what is looked for is ASCII, as which Latin-1 reads them
    all.
    """
    if data.startswith(_GZIP):
        unpacker = zlib.decompressobj(_GZIP_ONLY)
        try:
            data = unpacker.decompress(data, TEXT_LIMIT)
        except zlib.error:
            return ""
        if not unpacker.eof and len(data) < TEXT_LIMIT:
            return ""
    return data[:TEXT_LIMIT].decode("latin-1")


def parse(text: str, source: str) -> list[Entry]:
    """The entries of this source, the newest first. Other sources' and other lines are none."""
    headings = pairwise(chain(_HEADING.finditer(text), [None]))
    return entries(
        (
            debian.key(heading[2]),
            _urgency(heading[3]),
            text[heading.end() : following.start() if following else None],
        )
        for heading, following in headings
        if heading and heading[1] == source
    )


def _urgency(keywords: str) -> str:
    match = _URGENCY.search(keywords)
    return match[1].lower() if match else ""


def _by_source(upgrades: Iterable[Upgrade]) -> Mapping[_Source, list[Upgrade]]:
    grouped: dict[_Source, list[Upgrade]] = defaultdict(list)
    for upgrade in upgrades:
        grouped[upgrade.after.source, upgrade.after.source_version].append(upgrade)
    return grouped
