"""How far pins were behind (pure).

What a pin follows is the image that the best tag of its entry names: for `debian:bookworm` that
tag, for a version the newest one that it admits. Each time that this becomes another image counts
as one move, and its lag is the time until the pin names that image or a later one of the same row.
A move that no pin ever reached counts as long as it waited when the replay ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from replay.record import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.record import Made

STARVED: Final = 30.0
"""Days for which a pin stands still, its tag having moved, before its entry is said to starve."""


@dataclass(frozen=True, slots=True)
class At:
    """An image from a moment on: what a tag names, or what is pinned."""

    when: float
    made: Made


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """How far the pin of one entry was behind.

    Attributes:
        lags: days, one for each move.
        left: days from each move to the end.
        reached: how many of these moves the pin followed, from the first.
        stood: the longest time, in days, for which it did not move while it was behind.
    """

    lags: tuple[float, ...]
    left: tuple[float, ...]
    reached: int
    stood: float

    @property
    def starved(self) -> bool:
        """Whether the pin stood still for long although its tag had moved."""
        return self.stood > STARVED


def measure(tag: Sequence[At], pin: Sequence[At], end: float) -> Behind:
    """How far a pin was behind its tag.

    Args:
        tag: what the best tag named, from the start on; no image twice.
        pin: what was pinned, from the start on.
        end: when watching ended.
    """
    lags: list[float] = []
    stood = 0.0
    for place, held in enumerate(pin):
        found = [
            number
            for number in range(len(lags) + 1, len(tag))
            if tag[number].when <= held.when and tag[number].made == held.made
        ]
        if found:
            lags += [held.when - move.when for move in tag[len(lags) + 1 : found[-1] + 1]]
        until = pin[place + 1].when if place + 1 < len(pin) else end
        if len(lags) + 1 < len(tag):
            stood = max(stood, until - max(held.when, tag[len(lags) + 1].when))
    reached = len(lags)
    lags += [end - move.when for move in tag[reached + 1 :]]
    return Behind(
        lags=tuple(lag / DAY for lag in lags),
        left=tuple((end - move.when) / DAY for move in tag[1:]),
        reached=reached,
        stood=stood / DAY,
    )
