"""Version orders of the distributions, as sort keys.

A key is a tuple, so that each order is total, antisymmetric and transitive by construction, for any
string whatever. Versions that a distribution takes for the same have equal keys (`1.0`, `0:1.00`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pinner.inventory.model import Ecosystem
from pinner.inventory.versions import alpine, debian, redhat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Key: TypeAlias = tuple[Any, ...]

_ORDERS: Final[Mapping[Ecosystem, Callable[[str], Key]]] = {
    Ecosystem.DEB: debian.key,
    Ecosystem.APK: alpine.key,
    Ecosystem.RPM: redhat.key,
}


def key(ecosystem: Ecosystem, version: str) -> Key:
    """What sorts versions of one ecosystem; keys of two ecosystems are not to be compared."""
    return _ORDERS[ecosystem](version)
