"""The jobs of a day: when, on which runner, of which pipeline; and which runners are replaced."""

from __future__ import annotations

import math
import random
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from fleet.plan import DAY, HOUR

if TYPE_CHECKING:
    from fleet.plan import Plan

Job = tuple[float, int, int]
"""Seconds since the record's start, the runner, the pipeline."""
_HIGHEST: Final = 8 * HOUR
"""After the start of a day at 06:00: the rate of jobs is highest."""
_MINUTE: Final = 60


def jobs_of(plan: Plan, day: int) -> list[Job]:
    """In the order of time. Arrivals are independent of each other, as Poisson's are."""
    chance = random.Random(f"{plan.seed} jobs {day}")
    weights = list(accumulate((place + 1) ** -plan.popularity for place in range(plan.pipelines)))
    pipelines = chance.choices(range(plan.pipelines), cum_weights=weights, k=plan.jobs)
    return sorted(
        (day * DAY + _moment(plan, chance), chance.randrange(plan.runners), pipeline)
        for pipeline in pipelines
    )


def replaced(plan: Plan, day: int) -> dict[int, float]:
    """The runners that are replaced by empty ones, and when."""
    chance = random.Random(f"{plan.seed} churn {day}")
    return {
        runner: (day + chance.random()) * DAY
        for runner in range(plan.runners)
        if chance.random() < plan.churn
    }


def _moment(plan: Plan, chance: random.Random) -> float:
    if chance.random() < plan.scheduled:
        return chance.randrange(24) * HOUR + chance.random() * _MINUTE
    while True:
        moment = chance.random() * DAY
        rate = 1 + plan.swing * math.cos((moment - _HIGHEST) / DAY * math.tau)
        if chance.random() * (1 + plan.swing) < rate:
            return moment
