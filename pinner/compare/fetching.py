"""Blobs for a comparison, into the store: by a sync's download, without a name for any image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.sync.plan import BlobNeed
from pinner.sync.shown import fetch_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pinner.clock import Clock
    from pinner.compare.reading import CompareSource
    from pinner.errors import PinnerError
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.store.leases import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A blob that an entry's comparison needs."""

    name: str
    repository: Repository
    descriptor: Descriptor

    def is_in(self, store: Store) -> bool:
        """Whether the store has it, of the size that it shall have."""
        return store.has(self.descriptor.digest, self.descriptor.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Downloads what a store lacks.

    Attributes:
        lease: keeps what was fetched from being pruned until it was read.
    """

    store: Store
    lease: Lease
    open_source: Callable[[], CompareSource]
    progress: Progress
    clock: Clock
    jobs: int

    def fetch(self, wants: Iterable[Want]) -> Mapping[Digest, PinnerError]:
        """Bring what is missing into the store, all of it in one download.

        Returns:
            What cannot be had, and why.

        Raises:
            StoreError: the store or the disk failed.
        """
        wanted = list(wants)
        self.lease.hold(want.descriptor.digest for want in wanted)
        needs = _needs(want for want in wanted if not want.is_in(self.store))
        if not needs:
            return {}
        return fetch_shown(
            needs,
            self.store,
            self.open_source(),
            progress=self.progress,
            clock=self.clock,
            jobs=self.jobs,
        )


def _needs(wants: Iterable[Want]) -> tuple[BlobNeed, ...]:
    """Each blob once, the largest first; of two sizes for one digest the first is asked for."""
    found: dict[Digest, list[Want]] = {}
    for want in wants:
        found.setdefault(want.descriptor.digest, []).append(want)
    needs = [
        BlobNeed(
            descriptor=of_blob[0].descriptor,
            repositories=tuple(dict.fromkeys(want.repository for want in of_blob)),
            images=tuple(dict.fromkeys(want.name for want in of_blob)),
        )
        for of_blob in found.values()
    ]
    return tuple(sorted(needs, key=lambda need: (-need.descriptor.size, need.descriptor.digest)))
