"""Whether all that a sync wants is here, with its names: the run that has nothing to do.

Images are looked at one by one, and of each only its outcome and its names stay in memory, so that
thousands cost little. What is not exactly as it should be is left to the whole of a sync.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.errors import PinnerError
from pinner.store.names import NamedDescriptor
from pinner.sync.gather import ManifestGatherer
from pinner.sync.offline import OfflineSource
from pinner.sync.result import Amount, Synced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinner.oci.digest import Digest
    from pinner.store.layout import Store
    from pinner.sync.plan import ImageNeed
    from pinner.sync.select import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What a sync tells of images that are all here.

    Attributes:
        outcomes: one for each, in their order.
        shared: what they consist of.
    """

    outcomes: tuple[Synced, ...]
    shared: Amount


def find_present(
    wanted: Sequence[Wanted], store: Store, warn: Callable[[str], None]
) -> Present | None:
    """The outcomes of these images if all are here with their names, which protect them; else None.

    Nothing is written, locked or asked for. Two images that give a blob different sizes are not
    both here, since its file has one.

    Raises:
        StoreError: something that is no file has a blob's name, or index.json is damaged.
    """
    gatherer = ManifestGatherer(store, OfflineSource, warn, _hold_nothing)
    names = _Names()
    outcomes: list[Synced] = []
    blobs = size = 0
    for item in wanted:
        try:
            need = gatherer.gather(item)
        except PinnerError:
            gatherer.missing([item])  # raises what is wrong with the store, and not with the image
            return None
        if not all(store.has(blob.digest, blob.size) for blob in need.blobs):
            return None
        outcomes.append(outcome(need, complete_before=True))
        names.want(need)
        blobs += len(need.blobs)
        size += need.size
    # Names are looked at last: what they name now was not pruned before.
    if not store.over_names(names.stand_in):
        return None
    return Present(outcomes=tuple(outcomes), shared=Amount(blobs=blobs, size=size))


def outcome(need: ImageNeed, *, complete_before: bool) -> Synced:
    """That an image is in the store, and named."""
    return Synced(
        name=need.name,
        reference=need.reference,
        digest=need.root.digest,
        platforms=need.platforms,
        size=need.size,
        complete_before=complete_before,
    )


def stands(found: NamedDescriptor | None, wanted: NamedDescriptor) -> bool:
    """Whether a name stands for what it shall; one that is asked for, in its own right."""
    return (
        found is not None
        and found.descriptor.digest == wanted.descriptor.digest
        and (wanted.is_member or not found.is_member)
    )


@dataclass(slots=True)
class _Names:
    """Names that index.json must have: the least that tells whether each stands.

    Attributes:
        digests: what each must point to.
        own: those that somebody asked for.
        twice: one of them would have to point to two things.
    """

    digests: dict[str, Digest] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    twice: bool = False

    def want(self, need: ImageNeed) -> None:
        """Take the names of one more image."""
        for name, descriptor in need.names.items():
            if self.digests.setdefault(name, descriptor.digest) != descriptor.digest:
                self.twice = True
            if not NamedDescriptor(name=name, descriptor=descriptor).is_member:
                self.own.add(name)

    def stand_in(self, entries: Iterable[NamedDescriptor]) -> bool:
        """Whether all stand; of several entries with one name the last counts."""
        standing: set[str] = set()
        for found in entries:
            name = found.name
            digest = self.digests.get(name)
            if digest is None:
                continue
            if found.descriptor.digest == digest and not (found.is_member and name in self.own):
                standing.add(name)
            else:
                standing.discard(name)
        return not self.twice and len(standing) == len(self.digests)


def _hold_nothing(_digests: Iterable[Digest]) -> None:
    """What its names protect needs no lease."""
