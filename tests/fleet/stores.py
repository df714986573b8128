"""What each job of a day lacks, by how runners keep what they have (pure).

cold     every job begins on an empty machine
warm     a runner keeps its store, until it is replaced
cached   every job begins with what the CI's cache holds for its pipeline
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from fleet.jobs import jobs_of, replaced
from fleet.plan import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.estate import Blob, Content, Estate, Moves
    from fleet.plan import Plan

KINDS: Final = ("cold", "warm", "cached")


class Need(NamedTuple):
    """What one job needs and lacks.

    Attributes:
        when: seconds since the start of its day.
        images: those that it lacks, of `content.images`.
        blobs: those that it lacks, with their bytes.
        restored: bytes that came from the CI's cache, useful or not.
    """

    when: float
    runner: int
    content: Content
    images: tuple[tuple[int, int], ...]
    blobs: Mapping[Blob, int]
    restored: int = 0


class View:
    """What every pipeline needs at each moment.

    Args:
        moments: when something changes.
        contents: of every pipeline, from each of these moments on.
    """

    def __init__(self, moments: Sequence[float], contents: Sequence[Sequence[Content]]) -> None:
        self._moments = moments
        self._contents = contents

    def at(self, when: float, pipeline: int) -> Content:
        """What a pipeline needs then."""
        return self._contents[bisect_right(self._moments, when) - 1][pipeline]

    def blobs_until(self, when: float) -> set[Blob]:
        """What anybody needed before."""
        past = bisect_left(self._moments, when)
        return {blob for row in self._contents[:past] for one in row for blob in one.blobs}


def locked_view(plan: Plan, estate: Estate, moves: Moves, day: int) -> View:
    """Of pinner: every morning's lock has what had moved when the day began."""
    days = range(day - plan.warm_up - 1, day + 1)
    return View(
        [number * DAY + plan.merged for number in days],
        [estate.contents([number * DAY] * len(moves)) for number in days],
    )


def tagged_view(plan: Plan, estate: Estate, moves: Moves, day: int) -> View:
    """Of `docker pull`: what tags name, all of it a day later than it was."""
    begin = (day - plan.warm_up) * DAY
    changes = {when + DAY for row in moves for when in row}
    moments = [begin, *sorted(when for when in changes if begin < when < (day + 1) * DAY)]
    return View(moments, [estate.contents([when - DAY] * len(moves)) for when in moments])


def needs(plan: Plan, view: View, day: int, kind: str) -> list[Need]:
    """What the jobs of a day lack, in the order of time; the days before pass first."""
    if kind == "cold":
        return [
            Need(when - day * DAY, runner, content, content.images, content.blobs)
            for when, runner, pipeline in jobs_of(plan, day)
            for content in (view.at(when, pipeline),)
        ]
    kept = _Runners(plan) if kind == "warm" else _Cache(plan)
    found: list[Need] = []
    for number in range(day - plan.warm_up, day + 1):
        kept.begin(number)
        found = [
            kept.need(when, runner, pipeline, view.at(when, pipeline))
            for when, runner, pipeline in jobs_of(plan, number)
        ]
    return [need._replace(when=need.when - day * DAY) for need in found]


class _Runners:
    """Runners that keep what they fetched."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._keeping = round(plan.warm * plan.runners)
        self._had: dict[int, set[Content]] = {}
        self._images: dict[int, set[tuple[int, int]]] = {}
        self._blobs: dict[int, set[Blob]] = {}
        self._ends: dict[int, float] = {}

    def begin(self, day: int) -> None:
        """A day begins; who was to be replaced until now, and had no job since, is."""
        for runner in self._ends:
            self._forget(runner)
        self._ends = replaced(self._plan, day)

    def need(self, when: float, runner: int, pipeline: int, content: Content) -> Need:
        """What a runner lacks; it has it from now on."""
        del pipeline
        if runner >= self._keeping:
            return Need(when, runner, content, content.images, content.blobs)
        if when >= self._ends.get(runner, when + 1):
            self._forget(runner)
            del self._ends[runner]
        had = self._had.setdefault(runner, set())
        if content in had:
            return Need(when, runner, content, (), {})
        images = self._images.setdefault(runner, set())
        blobs = self._blobs.setdefault(runner, set())
        lacking = {blob: size for blob, size in content.blobs.items() if blob not in blobs}
        need = Need(
            when,
            runner,
            content,
            tuple(one for one in content.images if one not in images),
            lacking,
        )
        had.add(content)
        images.update(content.images)
        blobs.update(lacking)
        return need

    def _forget(self, runner: int) -> None:
        for held in (self._had, self._images, self._blobs):
            held.pop(runner, None)


class _Cache:
    """The CI's cache: an entry for each lock of each pipeline."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._saved: dict[int, dict[Content, float]] = {}

    def begin(self, day: int) -> None:
        """Nothing happens by night."""

    def need(self, when: float, runner: int, pipeline: int, content: Content) -> Need:
        """What a job lacks after its restore; what it fetched is saved when it is done."""
        saved = self._saved.setdefault(pipeline, {})
        there = [one for one, since in saved.items() if since <= when]
        best = content if content in there else there[-1] if there else None
        saved.setdefault(content, when + self._plan.saved)
        if best is None:
            return Need(when, runner, content, content.images, content.blobs)
        return Need(
            when,
            runner,
            content,
            tuple(one for one in content.images if one not in best.images),
            {blob: size for blob, size in content.blobs.items() if blob not in best.blobs},
            sum(best.blobs.values()),
        )
