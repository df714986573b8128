"""The observation log: which digests each tag was seen to name, and when (pure).

    repository:tag -> the sightings of its digests, in the order in which they were first seen

A sighting is a fact about the past: logs of several runs or machines are merged, never overwritten.
Times are whole seconds since the epoch. Order decides what came after what, also where two times
are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference

KEPT_SECONDS: Final = 90 * 86_400
"""What was not met for so long is forgotten."""
MOST_DIGESTS: Final = 100
"""How many digests of a tag are remembered."""
MOST_SIGHTINGS: Final = 50_000
"""How many sightings are remembered in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A digest that a tag named.

    Attributes:
        first: when it was first met.
        last: when it was last met, named by the tag or pinned.
        registry: the earliest time that the registry gave for it; None where it gave none.
        pinned: it was only ever met as the pin, when the tag named another one already.
    """

    digest: Digest
    first: int
    last: int
    registry: int | None = None
    pinned: bool = False


History: TypeAlias = tuple[Sighting, ...]
"""What is known of one tag; `first` never decreases."""


def sighting_of(history: History, digest: Digest) -> Sighting | None:
    """The sighting of a digest."""
    return next((sighting for sighting in history if sighting.digest == digest), None)


def with_sighting(history: History, new: Sighting) -> History:
    """The history with one more sighting, which is no earlier than those that are there."""
    return merged(history, (new,))


def watched_before(history: History, digest: Digest) -> bool:
    """Whether the tag was watched already when this digest was first seen."""
    found = sighting_of(history, digest)
    return found is not None and any(other.first < found.first for other in history)


def after(history: History, digest: Digest) -> History:
    """The sightings that came after that of a digest; none where that was never met."""
    for place, sighting in enumerate(history):
        if sighting.digest == digest:
            return history[place + 1 :]
    return ()


def merged(one: History, other: History) -> History:
    """All that both know; where first sights are at one time, those of `one` come first."""
    found: dict[Digest, Sighting] = {}
    for sighting in (*one, *other):
        known = found.get(sighting.digest)
        found[sighting.digest] = _joined(known, sighting) if known else sighting
    return tuple(sorted(found.values(), key=lambda sighting: sighting.first))


def _joined(one: Sighting, other: Sighting) -> Sighting:
    times = [time for time in (one.registry, other.registry) if time is not None]
    return replace(
        one,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        registry=min(times, default=None),
        pinned=one.pinned and other.pinned,
    )


@dataclass(frozen=True, slots=True)
class SeenLog:
    """A whole log.

    Attributes:
        tags: the history of each tag; its key is a reference with a tag and without a digest.
    """

    tags: Mapping[Reference, History] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def latest(self) -> int:
        """The latest time in it; 0 where it is empty."""
        return max((s.last for history in self.tags.values() for s in history), default=0)

    def merged(self, other: SeenLog) -> SeenLog:
        """All that both know."""
        keys = dict.fromkeys((*self.tags, *other.tags))
        return SeenLog(
            {key: merged(self.tags.get(key, ()), other.tags.get(key, ())) for key in keys}
        )

    def pruned(self, now: int) -> SeenLog:
        """Without what was not met for long, and within bounds: what was met last stays."""
        tags = {
            key: _newest(
                (sighting for sighting in history if sighting.last >= now - KEPT_SECONDS),
                MOST_DIGESTS,
            )
            for key, history in self.tags.items()
        }
        if sum(map(len, tags.values())) > MOST_SIGHTINGS:
            tags = _bounded(tags)
        return SeenLog({key: history for key, history in tags.items() if history})


def _newest(history: Iterable[Sighting], most: int) -> History:
    """The sightings that were met last, at most so many, in their order."""
    places = list(enumerate(history))
    places.sort(key=lambda place: (place[1].last, place[0]), reverse=True)
    return tuple(sighting for _, sighting in sorted(places[:most], key=lambda place: place[0]))


def _bounded(tags: Mapping[Reference, History]) -> dict[Reference, History]:
    everything = [(sighting.last, key) for key, history in tags.items() for sighting in history]
    everything.sort(key=lambda one: one[0], reverse=True)
    oldest = everything[MOST_SIGHTINGS][0]
    return {
        key: tuple(sighting for sighting in history if sighting.last > oldest)
        for key, history in tags.items()
    }
