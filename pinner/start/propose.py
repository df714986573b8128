"""From sightings to entries: one for each repository and tag.

A place with a tag is of the entry of its tag, whatever digest it has; one without a tag is of
`latest`; one with a digest alone is an entry of its own, which is never updated. Where a place says
itself what its entry is called (`# pinner: NAME`), that is an entry of this name, and places of the
same tag that say nothing are of it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.start.model import Proposal
from pinner.start.names import propose_names
from pinner.tomlfiles.names import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference
    from pinner.start.model import Sighting


def propose(sightings: Iterable[Sighting]) -> tuple[Proposal, ...]:
    """The entries that the sightings need, in the order of their first places."""
    seen = list(sightings)
    named = _named(seen)
    by_reference = {reference: name for name, reference in reversed(named.items())}
    groups: dict[tuple[str, Reference], _Group] = {}
    for one in seen:
        wish = _wish(one.reference)
        own = named.get(one.name)
        if own is not None and own.repository == wish.repository:
            key = (one.name, own)
        else:
            key = (by_reference.get(wish, ""), wish)
        groups.setdefault(key, _Group()).add(one)
    plain = [reference for name, reference in groups if not name]
    names = propose_names(plain, taken=named)
    return tuple(
        group.proposal(name or names[reference], reference)
        for (name, reference), group in groups.items()
    )


def _named(sightings: Iterable[Sighting]) -> dict[str, Reference]:
    """What each name that places give stands for: the first by spelling, whatever the order."""
    named: dict[str, Reference] = {}
    for one in sightings:
        if is_name(one.name):
            wish = _wish(one.reference)
            named[one.name] = min(named.get(one.name, wish), wish, key=str)
    return dict(sorted(named.items()))


def _wish(reference: Reference) -> Reference:
    """What images.toml says of a reference: its tag, or the digest where it has no tag."""
    wish = reference.tag_or_latest()
    return wish.with_digest(None) if wish.tag is not None else wish


@dataclass(slots=True)
class _Group:
    places: dict[str, None] = field(default_factory=dict)
    pins: dict[Digest, str] = field(default_factory=dict)
    tagged: bool = False

    def add(self, one: Sighting) -> None:
        self.places[one.where] = None
        self.tagged |= one.reference.tag is not None or one.reference.digest is not None
        if one.reference.digest is not None:
            self.pins.setdefault(one.reference.digest, one.where)

    def proposal(self, name: str, reference: Reference) -> Proposal:
        return Proposal(
            name=name,
            reference=reference,
            pins=() if reference.digest is not None else tuple(self.pins.items()),
            places=tuple(self.places),
            untagged=not self.tagged,
        )
