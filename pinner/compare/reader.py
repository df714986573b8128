"""Reads packages for a comparison: layers by a process of its own, attestations here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.inventory import spdx
from pinner.inventory.contents import Layer
from pinner.inventory.difference import difference
from pinner.inventory.isolation import compare_packages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pinner.inventory.model import PackageChanges
    from pinner.oci.descriptor import Descriptor
    from pinner.store.layout import Store


class PackageReader:
    """An `Inventory` of what pinner can read."""

    def of_layers(
        self, before: Sequence[Descriptor], after: Sequence[Descriptor], store: Store
    ) -> PackageChanges:
        """What differs, from the layers of two images, the lowest first."""
        return compare_packages(_layers(before, store), _layers(after, store))

    def of_statements(self, before: bytes, after: bytes) -> PackageChanges | None:
        """What differs, from SPDX statements; None where one of them names no package."""
        old, new = spdx.packages(before), spdx.packages(after)
        if not old.packages or not new.packages:
            return None
        return difference(old, new, {})


def _layers(descriptors: Sequence[Descriptor], store: Store) -> list[Layer]:
    return [Layer(descriptor=one, path=_path(one, store)) for one in descriptors]


def _path(layer: Descriptor, store: Store) -> Path | None:
    """Where the layer is; one of another size than the manifest says is not that layer."""
    return store.path(layer.digest) if store.has(layer.digest, layer.size) else None
