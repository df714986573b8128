"""Is an image old enough? Decided from evidence alone (pure; design section 8).

What may tell since when an image exists, the best first:

- the registry's own time for its manifest or config;
- our first sight of the digest under its tag, in the observation log. Where we watched the tag
  before, that is when the tag moved, give or take the time between two runs. Otherwise the image
  may be much older, so that more evidence is looked for;
- `created` of its config, the publisher's claim, which only counts where the first two say nothing.

Each is a moment at which the image existed already, so our first sight alone is always enough once
it is old enough. With the same evidence, what is old enough stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pinner.update.model import Age, Evidence

if TYPE_CHECKING:
    from datetime import timedelta

FIRST_IMAGES: Final = 1_356_998_400.0
"""2013-01-01: docker's first release came that year, so an earlier time is the epoch or a zero."""

LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, behind which dates cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """What is known of an image's age; times in seconds since the epoch.

    Attributes:
        registry: the registry's own time; None where it gives none.
        first_seen: when we first saw its tag name it; now, where that is now.
        watched: whether we had seen the tag name another image before.
        created: what its config says; None where that says nothing or was not looked at.
    """

    registry: float | None = None
    first_seen: float
    watched: bool = False
    created: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the clues come to.

    Attributes:
        settled: whether `created` could change nothing, so that it need not be looked for.
        age: None where there is no evidence yet, apart from a first sight that may be late.
        matures: when it is old enough, or became so.
    """

    old_enough: bool
    settled: bool
    age: Age | None
    matures: datetime


def judge(clues: Clues, *, minimum_age: timedelta, now: float) -> Verdict:
    """Whether an image is at least `minimum_age` old at `now` (seconds since the epoch)."""
    seen = (clues.first_seen, Evidence.OBSERVED)
    deciding = _deciding(clues, now)
    since, evidence = min(seen, deciding or seen, key=lambda one: one[0])
    old_enough = since + minimum_age.total_seconds() <= now
    known = old_enough or deciding is not None
    return Verdict(
        old_enough=old_enough,
        settled=old_enough or clues.registry is not None or clues.watched,
        age=Age(since=as_moment(since), evidence=evidence) if known else None,
        matures=as_moment(since + minimum_age.total_seconds()),
    )


def _deciding(clues: Clues, now: float) -> tuple[float, Evidence] | None:
    """The best evidence, if there is any."""
    if clues.registry is not None:
        return clues.registry, Evidence.REGISTRY
    if clues.watched:
        return clues.first_seen, Evidence.OBSERVED
    if clues.created is not None and FIRST_IMAGES <= clues.created <= now:
        return clues.created, Evidence.CREATED
    return None


def registry_time(seconds: float | None) -> int | None:
    """A registry's time as evidence, in whole seconds; None where it is none."""
    if seconds is None or not FIRST_IMAGES <= seconds <= LAST_SECOND:
        return None
    return int(seconds)


def created_time(text: str) -> float | None:
    """The moment that `created` of a config names; None where it is no date with a zone."""
    try:
        created = datetime.fromisoformat(text)
        return created.timestamp() if created.tzinfo else None
    except (ValueError, OverflowError):
        return None


def as_moment(seconds: float) -> datetime:
    """The moment, in UTC; what lies behind the year 9999 becomes its end."""
    return datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC)
