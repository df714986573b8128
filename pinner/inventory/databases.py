"""Every package database that pinner reads, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.inventory import apk, dpkg, rpm
from pinner.inventory.formats import Database, Format

if TYPE_CHECKING:
    from pinner.inventory.formats import Files

FORMATS: Final[tuple[Format, ...]] = (dpkg, apk, rpm)


def wants(path: str) -> bool:
    """Whether some format needs the file at this path: normalised, no leading slash."""
    return any(each.wants(path) for each in FORMATS)


def packages(files: Files) -> Database:
    """What all databases among an image's files name; none of them is an image without packages."""
    found = [each.packages(files) for each in FORMATS]
    return Database(
        packages=tuple(package for database in found for package in database.packages),
        notes=tuple(note for database in found for note in database.notes),
    )
