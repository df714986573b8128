"""What a format of package database is: the files that it wants, and the packages in them.

A format is one module that has what `Format` asks for, and one row of `databases.FORMATS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from pinner.inventory.model import Ecosystem, Fix, Package

FILE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of one database file; larger ones are not read."""
PACKAGES_LIMIT: Final = 50_000
"""Packages of one image, and entries that may turn out to be none; all of Debian is 60,000."""
_WORD_LIMIT: Final = 255

Files: TypeAlias = Mapping[str, bytes]
"""Files of one image by path: normalised, without a leading slash, links resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The packages of one image.

    Attributes:
        notes: what could not be read and why, each one line that is safe to print.
    """

    packages: tuple[Package, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One package in two versions, the older one first."""

    before: Package
    after: Package


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixes:
    """What the changelogs of a newer image name as fixed.

    Attributes:
        found: for each newer package whose changelog was read; without fixes it names none.
        notes: as in `Database`.
    """

    found: Mapping[Package, tuple[Fix, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Format(Protocol):
    """One kind of package database; nothing in it raises, whatever the files hold."""

    @property
    def ECOSYSTEM(self) -> Ecosystem:  # noqa: N802 - a constant of a module
        """Whose packages these are."""

    def wants(self, path: str) -> bool:
        """Whether `packages` needs the file at this path of an image."""

    def packages(self, files: Files) -> Database:
        """The installed packages that an image's files name; paths not wanted are ignored."""

    def fixes(
        self, upgrades: Sequence[Upgrade], installed: Sequence[Package], files: Files
    ) -> Fixes:
        """What the newer image's changelogs name between the two versions of each upgrade.

        Args:
            upgrades: of this ecosystem only.
            installed: all packages of the newer image.
            files: of the newer image: databases, and what `changelog.wants_changelog` takes.
        """


def is_word(text: str) -> bool:
    """Whether `text` can be a name or a version: 1 to 255 characters, all of them to be seen."""
    return 0 < len(text) <= _WORD_LIMIT and text.isprintable() and " " not in text
