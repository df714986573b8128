"""Which courses are replayed, and what each came to as a row of fixtures/replay/results.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from replay.course import TOOLS, Course
from replay.record import FOLDER
from replay.registry import Dates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replay.course import Story

RESULTS: Final = FOLDER / "results.json"
AGES: Final = (3, 7)
PLOTTED: Final = 7
"""The minimum age whose daily courses are drawn, and with which images are rebuilt nightly."""
REACH: Final = 30
"""Days that are drawn."""
STEP: Final = 0.5

COURSES: Final = (
    *(
        Course(tool=tool, minimum_age=0, dates=Dates.PUSHES, every=every)
        for every in (1, 7)
        for tool in TOOLS
    ),
    *(
        Course(tool=tool, minimum_age=age, dates=dates, every=every)
        for every in (1, 7)
        for age in AGES
        for dates in Dates
        for tool in TOOLS
    ),
    *(
        Course(tool=tool, minimum_age=PLOTTED, dates=Dates.PUSHES, every=every, nightly=True)
        for every in (1, 7)
        for tool in TOOLS
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a course came to.

    Attributes:
        dates: the name of a `Dates`.
        young: updates to an image that was younger than the minimum age.
        mean: of all lags, in days.
        worst: the longest lag, in days.
        starved: the entries that starved.
        runs: how often it updated.
        asked: requests by kind; empty for bots, whose requests are not modelled.
        curve: the share of moves that were followed within 0, ½, 1, … days, in percent, of those
            that could be watched for as long as is drawn; empty for courses that are not drawn.
    """

    tool: str
    minimum_age: int
    dates: str
    every: int
    nightly: bool
    updates: int
    young: int
    moves: int
    mean: float
    worst: float
    starved: tuple[str, ...]
    runs: int
    asked: Mapping[str, int] = field(default_factory=dict)
    curve: tuple[float, ...] = ()


def row(course: Course, story: Story) -> Row:
    """The row of a course."""
    behind = story.behind.values()
    lags = [lag for one in behind for lag in one.lags]
    # The last moves had no time to be followed.
    watched = [
        lag for one in behind for lag, left in zip(one.lags, one.left, strict=True) if left > REACH
    ]
    drawn = course.minimum_age == PLOTTED and course.every == 1
    days = [number * STEP for number in range(int(REACH / STEP) + 1)] if drawn else []
    return Row(
        tool=course.tool,
        minimum_age=course.minimum_age,
        dates=course.dates.name,
        every=course.every,
        nightly=course.nightly,
        updates=story.updates,
        young=story.young,
        moves=len(lags),
        mean=round(sum(lags) / len(lags), 2),
        worst=round(max(lags), 2),
        starved=tuple(name for name, one in story.behind.items() if one.starved),
        runs=story.runs,
        asked=dict(sorted(story.asked.items())),
        curve=tuple(
            round(100 * sum(lag <= day for lag in watched) / len(watched), 1) for day in days
        ),
    )


def dumps(rows: list[Row]) -> str:
    """The text of results.json: one line a row."""
    lines = ",\n".join(json.dumps(asdict(one)) for one in rows)
    return f"[\n{lines}\n]\n"


def load() -> list[Row]:
    """The rows that the last replay wrote."""
    return [
        Row(
            **{
                **one,
                "starved": tuple(one["starved"]),
                "curve": tuple(one["curve"]),
            }
        )
        for one in json.loads(RESULTS.read_text(encoding="utf-8"))
    ]
