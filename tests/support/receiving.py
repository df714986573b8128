"""One blob of a few mebibytes, and its way into a store piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.oci.digest import Digest
from support import storing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pinner.store.ingest import Ingest
    from pinner.store.layout import Store

MIB = 1024 * 1024
DATA = storing.noise(3, 3 * MIB + 12_345)
DIGEST = Digest.of(DATA)
SIZE = len(DATA)
PIECE = 100_000
OFFSETS = range(0, SIZE, PIECE)


def write(ingest: Ingest, offsets: Iterable[int], data: bytes = DATA) -> None:
    """Write the pieces at these offsets, in this order."""
    for offset in offsets:
        ingest.write(offset, data[offset : offset + PIECE])


def leftovers(store: Store) -> list[str]:
    """What lies in `ingest/`."""
    return sorted(path.name for path in (store.root / "ingest").iterdir())


def partial_files(store: Store) -> tuple[Path, Path]:
    """The paths of the partial and of its journal."""
    data = store.root / "ingest" / f"sha256-{DIGEST.hex}"
    return data, data.with_name(f"{data.name}.extents")
