"""Changelogs: which files of an image are one, and the CVE ids that entries name.

An id in an entry is what the maintainer wrote there; that the package is free of the fault is the
maintainer's word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from pinner.inventory.model import Fix
from pinner.inventory.versions import key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.inventory.formats import Upgrade
    from pinner.inventory.versions import Key

UPGRADES_LIMIT: Final = 2_000
"""Upgrades of one image that changelogs are read for."""
ENTRIES_LIMIT: Final = 2_000
"""Entries of one changelog that are looked at, the newest. Debian 12's binutils has 675."""
FIXES_LIMIT: Final = 5_000
"""Ids that are taken from one changelog, the newest entries' first."""

_DEBIAN: Final = re.compile(r"usr/share/doc/[^/]+/changelog(?:\.Debian(?:\.[a-z0-9-]+)?)?(?:\.gz)?")
_CVE: Final = re.compile(r"(?<![A-Za-z0-9])CVE-[0-9]{4}-[0-9]{4,19}(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a changelog.

    Attributes:
        version: of the source package, as it sorts.
        fixes: each once, as the text has them.
    """

    version: Key
    fixes: tuple[Fix, ...]


def wants_changelog(path: str) -> bool:
    """Whether a file may be a package's changelog (Debian policy 12.7): upstream's may be too."""
    return _DEBIAN.fullmatch(path) is not None


def entries(found: Iterable[tuple[Key, str, str]]) -> list[Entry]:
    """The entries of one changelog, the newest first.

    Args:
        found: of each its version, its urgency (in lower case; empty where none) and its text.
    """
    result = []
    left = FIXES_LIMIT
    for version, urgency, text in islice(found, ENTRIES_LIMIT):
        ids = dict.fromkeys(match[0].upper() for match in islice(_CVE.finditer(text), left))
        left -= len(ids)
        result.append(Entry(version, tuple(Fix(cve=cve, urgency=urgency) for cve in ids)))
    return result


def between(changelog: Iterable[Entry], upgrade: Upgrade) -> tuple[Fix, ...]:
    """What the entries newer than the older source version, up to the newer one, name.

    In the entries' order; an id that several entries name has the first one's urgency.
    """
    before, after = (
        key(package.ecosystem, package.source_version)
        for package in (upgrade.before, upgrade.after)
    )
    named: dict[str, Fix] = {}
    for entry in changelog:
        if before < entry.version <= after:
            for fix in entry.fixes:
                named.setdefault(fix.cve, fix)
    return tuple(named.values())
