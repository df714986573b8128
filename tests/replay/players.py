"""Who keeps the pins: the real `pinner update`, and the age rules of two bots.

Of the bots, only what they make of an image's age is modelled. Which tags compete is pinner's
answer for all three, since a spec like this one cannot be said in the configuration of the others.

    Renovate    only registries' times count, and none means held. A digest is as old as the last
                push of its tag. Too young: older versions, never an older digest of a tag.
    Dependabot  the registry's time, else `created`; none of them means taken. Too young: likewise.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Protocol

from pinner.lockfile import Lock
from pinner.oci.platform import Platform
from pinner.outcome import Failed
from pinner.resolve import lock_images
from pinner.update import SeenLog, run_update
from replay.record import DAY
from replay.registry import Dates, ReplayRegistry

if TYPE_CHECKING:
    from pinner.spec import Spec, SpecEntry
    from replay.record import Made, World

_HOST: Final = Platform.parse("linux/amd64")


class Player(Protocol):
    """Keeps the pins of a spec.

    Attributes:
        asked: its requests by kind; empty where they are not modelled.
    """

    asked: Counter[str]

    def lock(self) -> None:
        """Pin everything for the first time."""
        ...

    def update(self) -> None:
        """Move the pins at the world's present time."""
        ...

    def pins(self) -> dict[str, Made]:
        """The image that each entry is pinned to."""
        ...


class Pinner:
    """`pinner lock` once, then `pinner update` with its observation log."""

    def __init__(self, spec: Spec, world: World, dates: Dates, minimum_age: float) -> None:
        """Begin with an empty lock.

        Args:
            spec: what is wanted.
            world: what tags name.
            dates: what the registry tells of ages.
            minimum_age: in days.
        """
        self._spec = spec
        self._world = world
        self._minimum_age = timedelta(days=minimum_age)
        self._registry = ReplayRegistry(world, dates)
        self._lock = Lock()
        self._seen = SeenLog()
        self.asked = self._registry.asked

    def lock(self) -> None:
        """See `Player`; its requests are not counted."""
        result = lock_images(self._spec, None, lambda: self._registry, jobs=1)
        assert result.lock is not None, result.outcomes
        self._lock = result.lock
        self.asked.clear()

    def update(self) -> None:
        """See `Player`."""
        result = run_update(
            self._spec,
            self._lock,
            lambda: self._registry,
            minimum_age=self._minimum_age,
            seen=self._seen,
            now=self._world.now,
            host=_HOST,
            jobs=1,
        )
        failures = [outcome for outcome in result.outcomes if isinstance(outcome, Failed)]
        assert not failures, failures
        self._lock = result.lock
        self._seen = result.seen.pruned(int(self._world.now))  # as its file does

    def pins(self) -> dict[str, Made]:
        """See `Player`."""
        return {image.name: self._registry.made(image.digest) for image in self._lock.images}


class Rankings:
    """The tags that an entry may have, best first; each answer is kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}

    def of(self, entry: SpecEntry, world: World) -> tuple[str, ...]:
        """The ranked tags of an entry at the world's present time."""
        if entry.wish is None:
            return (str(entry.tag),)
        image = image_of(entry)
        key = entry.name, world.changes[image]
        if key not in self._known:
            self._known[key] = entry.wish.ranked(world.tags(image))
        return self._known[key]

    def above(self, own: str, entry: SpecEntry, world: World) -> tuple[str, ...]:
        """The tags that rank above one that the entry admits, best first."""
        ranked, wish = self.of(entry, world), entry.wish
        if wish is None or own in ranked:
            return ranked[: ranked.index(own)]
        return tuple(takewhile(lambda tag: wish.ranked((tag, own))[0] == tag, ranked))


class Bot(ABC):
    """A bot that knows no digests but those that tags name now."""

    def __init__(
        self, spec: Spec, world: World, dates: Dates, minimum_age: float, rankings: Rankings
    ) -> None:
        """Begin without pins; the arguments are those of `Pinner`."""
        self.asked: Counter[str] = Counter()
        self._spec = spec
        self._world = world
        self._dates = dates
        self._seconds = minimum_age * DAY
        self._rankings = rankings
        self._pins: dict[str, tuple[str, Made]] = {}

    def lock(self) -> None:
        """See `Player`."""
        for entry in self._spec.entries:
            tag = entry.tag or self._rankings.of(entry, self._world)[0]
            self._pins[entry.name] = tag, self._named(entry, tag)

    def update(self) -> None:
        """See `Player`."""
        for entry in self._spec.entries:
            own, pinned = self._pins[entry.name]
            for tag in (*self._rankings.above(own, entry, self._world), own):
                made = self._named(entry, tag)
                if made == pinned:
                    break
                if self._seconds == 0 or self._is_old_enough(entry, tag, made):
                    self._pins[entry.name] = tag, made
                    break

    def pins(self) -> dict[str, Made]:
        """See `Player`."""
        return {name: made for name, (_, made) in self._pins.items()}

    def _named(self, entry: SpecEntry, tag: str) -> Made:
        made = self._world.named(image_of(entry), tag)
        assert made is not None, (entry.name, tag)
        return made

    @abstractmethod
    def _is_old_enough(self, entry: SpecEntry, tag: str, made: Made) -> bool:
        """Whether this bot would take an image by what it knows of its age."""


class Renovate(Bot):
    """Fails closed; a push of the tag restarts the clock."""

    def _is_old_enough(self, entry: SpecEntry, tag: str, made: Made) -> bool:
        del made
        if self._dates is not Dates.PUSHES:
            return False
        pushed = self._world.tag_pushed(image_of(entry), tag)
        return pushed + self._seconds <= self._world.now


class Dependabot(Bot):
    """Fails open."""

    def _is_old_enough(self, entry: SpecEntry, tag: str, made: Made) -> bool:
        del entry, tag
        if self._dates is Dates.NONE:
            return True
        return self._world.pushed(made) + self._seconds <= self._world.now


def image_of(entry: SpecEntry) -> str:
    """The image of an entry, as the record names it."""
    return entry.repository.path.removeprefix("library/")
