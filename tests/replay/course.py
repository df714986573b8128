"""One course: a player updates through the record, every so many days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinner.spec import parse_spec
from replay.lag import At, measure
from replay.players import Dependabot, Pinner, Rankings, Renovate, image_of
from replay.record import DAY, FOLDER, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.spec import Spec
    from replay.lag import Behind
    from replay.players import Player
    from replay.record import Step
    from replay.registry import Dates

START: Final = datetime(2024, 10, 3, 6, tzinfo=UTC).timestamp()
"""The first morning on which the record has all ten images."""
END: Final = datetime(2026, 8, 22, 6, tzinfo=UTC).timestamp()
TOOLS: Final = ("pinner", "Renovate", "Dependabot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is replayed.

    Attributes:
        tool: one of `TOOLS`.
        minimum_age: in days.
        every: days from one update to the next.
        nightly: whether every image is rebuilt every night, which is made up.
    """

    tool: str
    minimum_age: int
    dates: Dates
    every: int = 1
    nightly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What became of it.

    Attributes:
        behind: how far the pin of each entry was behind.
        updates: how many pins moved in all.
        young: how many of them to an image that was younger than the minimum age.
        runs: how often it updated.
        asked: requests by kind.
    """

    behind: Mapping[str, Behind]
    updates: int
    young: int
    runs: int
    asked: Mapping[str, int]


class Replay:
    """Replays courses of one spec on one record.

    Args:
        spec: what is wanted.
        steps: the record.
        start: when everything is locked; seconds since the epoch.
        end: when the last update is.
    """

    def __init__(
        self, spec: Spec, steps: tuple[Step, ...], *, start: float = START, end: float = END
    ) -> None:
        self._spec = spec
        self._steps = steps
        self._start = start
        self._end = end
        self._rankings = Rankings()
        self._tags: dict[bool, dict[str, list[At]]] = {}

    def run(self, course: Course) -> Story:
        """What becomes of a course."""
        world = World(self._steps, nightly=course.nightly)
        world.pass_until(self._start)
        player = self._player(course, world)
        player.lock()
        before = player.pins()
        pins = {name: [At(self._start, made)] for name, made in before.items()}
        runs = young = 0
        while world.now + course.every * DAY <= self._end:
            world.pass_until(world.now + course.every * DAY)
            player.update()
            runs += 1
            now = player.pins()
            for name in now:
                if now[name] != before[name]:
                    pins[name].append(At(world.now, now[name]))
                    young += world.pushed(now[name]) + course.minimum_age * DAY > world.now
            before = now
        tags = self.tags(nightly=course.nightly)
        return Story(
            behind={name: measure(tags[name], pins[name], self._end) for name in pins},
            updates=sum(len(row) - 1 for row in pins.values()),
            young=young,
            runs=runs,
            asked=dict(player.asked),
        )

    def tags(self, *, nightly: bool) -> dict[str, list[At]]:
        """What the best tag of each entry named, from the start on."""
        if nightly not in self._tags:
            self._tags[nightly] = self._follow(nightly=nightly)
        return self._tags[nightly]

    def _follow(self, *, nightly: bool) -> dict[str, list[At]]:
        world = World(self._steps, nightly=nightly)
        rows: dict[str, list[At]] = {entry.name: [] for entry in self._spec.entries}
        moments = {step.when for step in self._steps if self._start < step.when <= self._end}
        if nightly:
            moments.update(world.nights(self._start, self._end))
        for moment in (self._start, *sorted(moments)):
            world.pass_until(moment)
            for entry in self._spec.entries:
                best = self._rankings.of(entry, world)[0]
                made = world.named(image_of(entry), best)
                assert made is not None, best
                row = rows[entry.name]
                if not row or row[-1].made != made:
                    row.append(At(moment, made))
        return rows

    def _player(self, course: Course, world: World) -> Player:
        if course.tool == "pinner":
            return Pinner(self._spec, world, course.dates, course.minimum_age)
        bot = {"Renovate": Renovate, "Dependabot": Dependabot}[course.tool]
        return bot(self._spec, world, course.dates, course.minimum_age, self._rankings)


def load_spec() -> Spec:
    """The forty entries."""
    path = FOLDER / "images.toml"
    return parse_spec(path.read_bytes(), path=str(path), base=Path())
