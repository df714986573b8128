"""Does a lock still satisfy a spec? Decided offline, by meaning, from the two alone (section 3).

A pin is stale only where it no longer satisfies the wish: a wider version range, a longer
`minimum-age` or another mirror leave it fresh, and a new release in the registry always does.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.lockfile import Lock, LockedImage
    from pinner.spec import Spec, SpecEntry


class Kind(enum.Enum):
    """In which respect a lock does not satisfy the spec."""

    MISSING = "missing"
    """An entry of the spec is not locked."""
    EXTRA = "extra"
    """A locked image is not in the spec."""
    IDENTITY = "identity"
    """The lock names another registry, repository or tag."""
    DIGEST = "digest"
    """The spec gives a digest by hand, and the lock has another."""
    VERSION = "version"
    """The locked tag is not one that the entry's wish admits."""
    PLATFORMS = "platforms"
    """The lock has other platforms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """One respect in which one entry is stale.

    Attributes:
        what: a sentence for people, without a full stop; begins with the name.
    """

    name: str
    kind: Kind
    what: str


def staleness(spec: Spec, lock: Lock) -> tuple[Stale, ...]:
    """Every respect in which `lock` does not satisfy `spec`; empty if it is fresh.

    Entries come in the spec's order, then what is locked beyond it, by name.
    """
    pins = {image.name: image for image in lock.images}
    names = {entry.name for entry in spec.entries}
    return (
        *(stale for entry in spec.entries for stale in _of_entry(entry, pins.get(entry.name))),
        *(
            Stale(name=name, kind=Kind.EXTRA, what=f"{name} is locked, but not in images.toml")
            for name in pins
            if name not in names
        ),
    )


def _of_entry(entry: SpecEntry, pin: LockedImage | None) -> Iterator[Stale]:
    if pin is None:
        what = f"{entry.name} is in images.toml, but not locked"
        yield Stale(name=entry.name, kind=Kind.MISSING, what=what)
        return
    for kind, wish in _unsatisfied(entry, pin):
        what = f"{entry.name} does not satisfy images.toml ({wish})"
        yield Stale(name=entry.name, kind=kind, what=what)


def _unsatisfied(entry: SpecEntry, pin: LockedImage) -> Iterator[tuple[Kind, str]]:
    """The wishes that the pin leaves open; `not` says what is locked instead."""
    if pin.repository != entry.repository:
        yield Kind.IDENTITY, f"image {entry.repository}, not {pin.repository}"
    if entry.wish is not None:
        if pin.tag is None or not entry.wish.admits(pin.tag):
            yield Kind.VERSION, str(entry.wish)
    elif pin.tag != entry.tag:
        yield Kind.IDENTITY, f"{_tag(entry.tag)}, not {_tag(pin.tag)}"
    if entry.digest not in {None, pin.digest}:
        yield Kind.DIGEST, f"digest {entry.digest}, not {pin.digest}"
    if entry.platforms is None:
        if not pin.all_platforms:
            yield Kind.PLATFORMS, "every platform, not only some"
    elif pin.all_platforms or set(entry.platforms) != pin.platforms.keys():
        yield Kind.PLATFORMS, f"platforms {', '.join(map(str, entry.platforms))}"


def _tag(tag: str | None) -> str:
    return "no tag" if tag is None else f'tag "{tag}"'
