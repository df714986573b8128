"""The images, how they move, and what each pipeline needs at each moment.

    record of real tags -> segments of time in which nothing changes -> Content of each pipeline

With `docker pull` a pipeline gets what its tags name at that moment. With pinner it gets what is
locked, which changes once a day. To have the same moves in both, tags move a day later than they
did: the lock of a morning takes what moved in the 24 hours before, and tags move one by one in
the 24 hours after.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fleet.plan import DAY
from replay import record
from replay.course import END, START, Replay, load_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.plan import Plan

Moves = tuple[tuple[float, ...], ...]
"""For each image, when it moved: seconds since the start of the record."""
DAYS: Final = int((END - START) / DAY)
Blob = tuple[int, int, int]
"""An image (or -1 - family, of a base), a layer (or -1, the config), a version."""


def real_moves() -> Moves:
    """When the best tag of each entry of fixtures/replay/images.toml named another image."""
    tags = Replay(load_spec(), record.load()).tags(nightly=False)
    return tuple(tuple(at.when - START for at in row[1:]) for row in tags.values())


def moved_on(moves: Moves, day: int) -> int:
    """How many images moved in the 24 hours before a day."""
    start, end = (day - 1) * DAY, day * DAY
    return sum(any(start < when <= end for when in row) for row in moves)


def days_by_moves(moves: Moves, first: int) -> list[int]:
    """The days from `first` on, ordered by how many images moved, then by date."""
    return sorted(range(first, DAYS), key=lambda day: (moved_on(moves, day), day))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Content:
    """What a pipeline needs for as long as nothing moves.

    Attributes:
        images: each with its version.
        blobs: of the runners' platform, with their bytes.
        of: the blobs of each image.
    """

    images: tuple[tuple[int, int], ...]
    blobs: Mapping[Blob, int]
    of: Mapping[tuple[int, int], tuple[Blob, ...]]


class Estate:
    """All images and pipelines.

    Args:
        plan: what is assumed.
        moves: of each image.
    """

    def __init__(self, plan: Plan, moves: Moves) -> None:
        self._plan = plan
        self._moves = moves
        chance = random.Random(f"{plan.seed} estate")
        self._families = [chance.randrange(len(plan.bases)) for _ in moves]
        self._own = [round(plan.own * chance.lognormvariate(0, plan.own_spread)) for _ in moves]
        order = list(range(len(moves)))
        chance.shuffle(order)
        weights = [1 / (place + 1) ** plan.popularity for place in range(len(moves))]
        self.pipelines = [
            _drawn(chance, order, weights, plan.images) for _ in range(plan.pipelines)
        ]
        self._blobs: dict[tuple[int, int], dict[Blob, int]] = {}
        self._contents: dict[tuple[int, tuple[int, ...]], Content] = {}

    def blobs(self, image: int, version: int) -> dict[Blob, int]:
        """The blobs of one platform of an image, with their bytes."""
        if (image, version) not in self._blobs:
            self._blobs[image, version] = self._made(image, version)
        return self._blobs[image, version]

    def contents(self, moments: Sequence[float]) -> list[Content]:
        """What each pipeline needs, every image being as of its moment.

        Args:
            moments: one for each image.
        """
        now = [bisect_right(row, when) for row, when in zip(self._moves, moments, strict=True)]
        return [self._content(number, now) for number in range(len(self.pipelines))]

    def new(self, day: int) -> dict[Blob, int]:
        """The blobs of one platform that nobody had before the moves of the last 24 hours."""
        before, after = self.held(day - 1), self.held(day)
        return {blob: size for blob, size in after.items() if blob not in before}

    def held(self, day: int) -> dict[Blob, int]:
        """The blobs of one platform of all images when a day begins."""
        held: dict[Blob, int] = {}
        for image, row in enumerate(self._moves):
            held |= self.blobs(image, bisect_right(row, day * DAY))
        return held

    def _content(self, pipeline: int, now: Sequence[int]) -> Content:
        images = tuple((image, now[image]) for image in self.pipelines[pipeline])
        key = pipeline, tuple(version for _, version in images)
        if key not in self._contents:
            blobs: dict[Blob, int] = {}
            for one in images:
                blobs |= self.blobs(*one)
            of = {one: tuple(self.blobs(*one)) for one in images}
            self._contents[key] = Content(images=images, blobs=blobs, of=of)
        return self._contents[key]

    def _made(self, image: int, version: int) -> dict[Blob, int]:
        plan = self._plan
        family = self._families[image]
        base = 0
        layers = [0] * len(plan.layers)
        for number in range(1, version + 1):
            chance = random.Random(f"{plan.seed} {image} {number}")
            if chance.random() < plan.base_moves:
                base = int(self._moves[image][number - 1] // DAY) + 1
            layers = [was if chance.random() < plan.layer_stays else number for was in layers]
        blobs: dict[Blob, int] = {(image, -1, version): plan.config}
        blobs[-1 - family, 0, base] = plan.bases[family]
        for place, share in enumerate(plan.layers):
            blobs[image, place, layers[place]] = round(self._own[image] * share)
        return blobs


def _drawn(
    chance: random.Random, order: Sequence[int], weights: Sequence[float], count: int
) -> tuple[int, ...]:
    """So many different images, popular ones oftener."""
    drawn: dict[int, None] = {}
    while len(drawn) < min(count, len(order)):
        drawn[chance.choices(order, weights)[0]] = None
    return tuple(drawn)
