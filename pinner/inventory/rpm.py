"""rpm's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.inventory.formats import Database, Fixes
from pinner.inventory.model import Ecosystem, Package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.inventory.formats import Files, Upgrade

ECOSYSTEM: Final = Ecosystem.RPM

_FOLDERS: Final = ("var/lib/rpm", "usr/lib/sysimage/rpm")
_NAMES: Final = ("rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db")
_PATHS: Final = frozenset(f"{folder}/{name}" for folder in _FOLDERS for name in _NAMES)


def wants(path: str) -> bool:
    """The database of either place, its log, and the older databases that a note is about."""
    return path in _PATHS


def packages(files: Files) -> Database:
    """None yet."""
    return Database()


def fixes(upgrades: Sequence[Upgrade], installed: Sequence[Package], files: Files) -> Fixes:
    """None yet."""
    return Fixes()
