"""Debian changelogs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.inventory.formats import Fixes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.inventory.formats import Files, Upgrade
    from pinner.inventory.model import Package


def fixes(upgrades: Sequence[Upgrade], installed: Sequence[Package], files: Files) -> Fixes:
    """None yet."""
    return Fixes()
