"""What a sync came to, as data; `output` turns it into text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.outcome import Failed

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """The store holds this image, and its index.json names it.

    Attributes:
        reference: the full name in the store, `docker.io/library/debian:bookworm`.
        digest: what that name points to: the locked index, or the one manifest that is left.
        platforms: the platforms whose layers are there now.
        size: bytes of the configs and layers of these platforms.
        complete_before: nothing had to be fetched or named for it.
    """

    name: str
    reference: str
    digest: Digest
    platforms: tuple[Platform, ...]
    size: int
    complete_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Some blobs and their bytes together."""

    blobs: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """The outcome of each image in the lockfile's order, and the work of the whole run.

    Attributes:
        fetched: blobs (configs and layers) that this run downloaded, and the bytes that came:
            what an earlier run had kept of them is not counted.
        shared: blobs that images needed and this run did not download: in the store already,
            fetched by another process meanwhile, or needed by more than one image.
        warnings: one line each, safe to print, without duplicates.
    """

    outcomes: tuple[Synced | Failed, ...]
    fetched: Amount
    shared: Amount
    warnings: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every image is in the store."""
        return not any(isinstance(outcome, Failed) for outcome in self.outcomes)
