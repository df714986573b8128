"""Which days are simulated, and what each came to as a row of fixtures/fleet/results.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from fleet.costs import COSTS
from fleet.estate import DAYS, Estate, days_by_moves, moved_on
from fleet.outcome import Fleet
from fleet.routes import STRATEGIES, TIERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fleet.costs import Costs
    from fleet.estate import Moves
    from fleet.outcome import Outcome
    from fleet.plan import Plan

RESULTS: Final = COSTS.with_name("results.json")
BUSIEST: Final = "busiest"
COMPARED: Final = ("sync, mirror, warm stores", "sync, mirror, sites, empty runners")
"""Strategies that are simulated on the other days as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A strategy's day.

    Attributes:
        day: `quiet`, `usual` or `busiest`.
        moved: of how many images the tags moved in 24 hours.
        served: bytes to runners, by tier.
        filled: bytes to tiers nearer to them, by tier.
        restored: bytes out of the CI's cache, useful or not.
        heads, gets, blobs: requests at the public registry.
        requests: by tier.
        stopped: jobs that a limit for each address refused something.
        hours: that the manifest GETs take under a limit for each address, and for one user.
        peaks: bytes a second of each tier in its busiest minute, and into the busiest site.
        asked: requests a second likewise.
        used: share of each limit that is needed at most.
        down: manifest GETs and bytes of the busiest hour, if the mirror is down.
    """

    day: str
    moved: int
    strategy: str
    jobs: int
    wanted: int
    served: Mapping[str, int]
    filled: Mapping[str, int]
    restored: int
    heads: int
    gets: int
    blobs: int
    requests: Mapping[str, int]
    stopped: int
    hours: tuple[float, float]
    p50: float
    p99: float
    peaks: Mapping[str, int]
    asked: Mapping[str, int]
    nodes: int
    used: Mapping[str, float]
    down: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All rows, and what the record says of all days.

    Attributes:
        days: of the record.
        moved_days: on how many of them something moved.
        moves: how many images moved in all of them.
        held: bytes of one platform of all images on the busiest day.
        yearly: bytes of one platform that are new in a year.
    """

    days: int
    moved_days: int
    moves: int
    held: int
    yearly: int
    rows: tuple[Row, ...]

    def on_the_busiest_day(self) -> list[Row]:
        """The rows of all strategies."""
        return [row for row in self.rows if row.day == BUSIEST]


def days(plan: Plan, moves: Moves) -> dict[str, int]:
    """A day on which nothing moved, one with as many moves as is usual, and the busiest."""
    ordered = days_by_moves(moves, plan.warm_up + 2)
    moving = [day for day in ordered if moved_on(moves, day)]
    return {"quiet": ordered[0], "usual": moving[len(moving) // 2], BUSIEST: ordered[-1]}


def simulate(plan: Plan, costs: Costs, moves: Moves) -> Iterator[Row]:
    """Every strategy on the busiest day, and some on the others."""
    for label, day in days(plan, moves).items():
        fleet = Fleet(plan, costs, moves, day)
        for strategy in STRATEGIES:
            if label == BUSIEST or strategy.name in COMPARED:
                yield row(label, moved_on(moves, day), fleet.run(strategy))


def collect(plan: Plan, moves: Moves, rows: tuple[Row, ...]) -> Results:
    """The rows with what the record says."""
    estate = Estate(plan, moves)
    counts = [moved_on(moves, day) for day in range(1, DAYS)]
    new = sum(sum(estate.new(day).values()) for day in range(1, DAYS))
    return Results(
        days=len(counts),
        moved_days=sum(count > 0 for count in counts),
        moves=sum(counts),
        held=sum(estate.held(days(plan, moves)[BUSIEST]).values()),
        yearly=round(new / len(counts) * 365),
        rows=rows,
    )


def row(label: str, moved: int, outcome: Outcome) -> Row:
    """The row of an outcome."""
    plan, traffic = outcome.plan, outcome.traffic
    tiers = traffic.tiers
    registry = tiers["registry"]
    gets, size = outcome.when_down()
    return Row(
        day=label,
        moved=moved,
        strategy=outcome.strategy.name,
        jobs=traffic.jobs,
        wanted=traffic.wanted,
        served={tier: tiers[tier].served for tier in TIERS},
        filled={tier: tiers[tier].filled for tier in TIERS},
        restored=traffic.restored,
        heads=round(registry.heads),
        gets=round(registry.manifests),
        blobs=round(registry.blobs),
        requests={tier: round(tiers[tier].requests) for tier in TIERS},
        stopped=traffic.stopped,
        hours=(
            round(outcome.hours(plan.anonymous, each_address=True), 1),
            round(outcome.hours(plan.user, each_address=False), 1),
        ),
        p50=round(outcome.percentile(50), 2),
        p99=round(outcome.percentile(99), 2),
        peaks={
            **{tier: round(outcome.peak(tier)) for tier in TIERS},
            "uplink": round(outcome.peak_uplink()),
        },
        asked={tier: round(outcome.peak_requests(tier)) for tier in TIERS},
        nodes=outcome.nodes(),
        used={name: round(share, 3) for name, share in outcome.used().items()},
        down=(round(gets), round(size)),
    )


def dumps(results: Results) -> str:
    """The text of results.json: one line a row."""
    document = asdict(results)
    rows = ",\n".join(json.dumps(one) for one in document.pop("rows"))
    head = json.dumps(document)[:-1]
    return f'{head}, "rows": [\n{rows}\n]}}\n'


def load() -> Results:
    """What the last simulation came to."""
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = tuple(
        Row(**{**one, "hours": tuple(one["hours"]), "down": tuple(one["down"])})
        for one in document.pop("rows")
    )
    return Results(**document, rows=rows)
