"""The record of how tags moved, and the registry's state that it makes from moment to moment.

    official-history.jsonl.xz -> steps -> World: tag -> the image that it names now

Tags that left the record stay on the registry, as they do on Docker Hub; they only move no more.
Where images are rebuilt every night, that is made up: each night every image that a tag of the
record still names is replaced by another one of the same build.
"""

from __future__ import annotations

import json
import lzma
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER: Final = Path(__file__).resolve().parents[2] / "fixtures/replay"
DAY: Final = 86_400.0
_NIGHT: Final = 2 * 3_600.0  # two o'clock UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change of the record.

    Attributes:
        when: seconds since the epoch.
        image: the repository under docker.io/library.
        builds: the build that each tag names from now on.
        gone: tags that left.
    """

    when: float
    image: str
    builds: Mapping[str, int]
    gone: frozenset[str]


@dataclass(frozen=True, slots=True, order=True)
class Made:
    """An image: which rebuild of which build; the first is number 0."""

    image: str
    build: int
    rebuild: int = 0


def load() -> tuple[Step, ...]:
    """The whole record, in the order of time."""
    text = lzma.decompress((FOLDER / "official-history.jsonl.xz").read_bytes()).decode()
    return read(map(json.loads, text.splitlines()))


def read(lines: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps of these lines, in the order of time."""
    steps = [
        Step(
            when=datetime.fromisoformat(line["when"]).timestamp(),
            image=line["image"],
            builds={tag: int(number) for number, tags in line["build"].items() for tag in tags},
            gone=frozenset(line.get("gone", ())),
        )
        for line in lines
    ]
    return tuple(sorted(steps, key=lambda step: step.when))


class World:
    """What tags name, as time passes.

    Args:
        steps: in the order of time.
        nightly: whether images are rebuilt every night (made up).

    Attributes:
        now: seconds since the epoch; it only grows.
        changes: of each image, how often its tags became more.
    """

    def __init__(self, steps: tuple[Step, ...], *, nightly: bool = False) -> None:
        self.now = 0.0
        self.changes: Counter[str] = Counter()
        self._steps = steps
        self._times = [step.when for step in steps]
        self._done = 0
        self._nightly = nightly
        self._tags: dict[str, dict[str, int]] = {}
        self._moved: dict[tuple[str, str], float] = {}
        self._live: dict[str, dict[str, int]] = {}
        self._pushed: dict[tuple[str, int], float] = {}
        self._ended: dict[tuple[str, int], float] = {}

    def pass_until(self, now: float) -> None:
        """Let everything happen that happened until then."""
        until = bisect_right(self._times, now)
        for step in self._steps[self._done : until]:
            self._take(step)
        self._done, self.now = until, now

    def tags(self, image: str) -> tuple[str, ...]:
        """Every tag that the image ever had."""
        return tuple(self._tags.get(image, ()))

    def named(self, image: str, tag: str) -> Made | None:
        """What a tag names now."""
        build = self._tags.get(image, {}).get(tag)
        return None if build is None else Made(image, build, self._rebuilds(image, build))

    def pushed(self, made: Made) -> float:
        """When an image came to the registry."""
        first = self._pushed[made.image, made.build]
        return first if made.rebuild == 0 else (_nights(first) + made.rebuild) * DAY + _NIGHT

    def tag_pushed(self, image: str, tag: str) -> float:
        """When a tag was last pushed."""
        made = self.named(image, tag)
        assert made is not None, tag
        return max(self._moved[image, tag], self.pushed(made))

    @staticmethod
    def nights(start: float, end: float) -> list[float]:
        """When images are rebuilt between two moments."""
        return [night * DAY + _NIGHT for night in range(_nights(start) + 1, _nights(end) + 1)]

    def _rebuilds(self, image: str, build: int) -> int:
        if not self._nightly:
            return 0
        until = min(self.now, self._ended.get((image, build), self.now))
        return _nights(until) - _nights(self._pushed[image, build])

    def _take(self, step: Step) -> None:
        tags = self._tags.setdefault(step.image, {})
        live = self._live.setdefault(step.image, {})
        before = set(live.values())
        if not tags.keys() >= step.builds.keys():
            self.changes[step.image] += 1
        for tag, build in step.builds.items():
            self._pushed.setdefault((step.image, build), step.when)
            if tags.get(tag) != build:
                self._moved[step.image, tag] = step.when
            tags[tag] = live[tag] = build
        for tag in step.gone:
            live.pop(tag, None)
        for build in before.difference(live.values()):
            self._ended[step.image, build] = step.when
        for build in step.builds.values():
            self._ended.pop((step.image, build), None)


def _nights(moment: float) -> int:
    """How many nights there were since the epoch."""
    return int((moment - _NIGHT) // DAY)
