"""Packages and what became of them, as values."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Ecosystem(enum.Enum):
    """Whose package database, and so whose version order; the values are package URL types."""

    DEB = "deb"
    APK = "apk"
    RPM = "rpm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One installed package; every string is foreign, to be shown only through `terminal.safe`.

    Attributes:
        version: whole, as the package manager writes it: `1:2.3-4+deb12u1`, `1.36.1-r29`.
        architecture: as the package manager names it; empty where the database does not say.
        source: the source package's name; equal to `name` where the database names none.
        source_version: the source package's version; equal to `version` where none is named.
    """

    ecosystem: Ecosystem
    name: str
    version: str
    architecture: str
    source: str
    source_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A CVE that a package's own changelog names between two versions.

    Attributes:
        cve: in capitals, `CVE-2026-12345`.
        urgency: the changelog entry's, in lower case (`low`, `medium`, `high`); empty where none.
    """

    cve: str
    urgency: str


class Direction(enum.Enum):
    """What became of a package."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"


class Changelog(enum.Enum):
    """Whether the fixes of a change could be looked up."""

    READ = "read"
    """The package's changelog was read from the newer image."""
    ABSENT = "absent"
    """The newer image carries no readable changelog of it."""
    UNUSED = "unused"
    """The package was not upgraded, so that there is nothing to look up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """One package that differs between two images.

    Attributes:
        before: the version in the older image; None where it was added.
        after: the version in the newer image; None where it was removed.
        fixes: newest changelog entry first, each CVE once; empty without a changelog.
    """

    ecosystem: Ecosystem
    name: str
    architecture: str
    before: str | None
    after: str | None
    direction: Direction
    fixes: tuple[Fix, ...] = ()
    changelog: Changelog = Changelog.UNUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChanges:
    """All packages that differ between two images.

    Attributes:
        changes: by ecosystem, name and architecture.
        notes: what could not be read and why, each one line that is safe to print. Where there
            are notes, `changes` may lack something.
    """

    changes: tuple[PackageChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """Every CVE that is named fixed, each once, by its id."""
        found = {fix.cve: fix for change in self.changes for fix in change.fixes}
        return tuple(sorted(found.values(), key=lambda fix: fix.cve))
