"""What a day comes to under a strategy: traffic, times, what is used up first."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fleet import counting
from fleet.estate import Estate, moved_on
from fleet.plan import DAY, HOUR, WINDOW
from fleet.routes import Morning, route
from fleet.stores import locked_view, needs, tagged_view
from fleet.waiting import shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.costs import Costs
    from fleet.estate import Blob, Moves
    from fleet.plan import Plan
    from fleet.routes import Strategy, Traffic
    from fleet.stores import Need, View

PINNER_AT_ONCE: Final = 8
DOCKER_AT_ONCE: Final = 3
"""Blobs that are fetched at the same time: defaults of `--jobs` and of dockerd."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A strategy's day.

    Attributes:
        seconds: of each job until its images are there, sorted.
    """

    plan: Plan
    strategy: Strategy
    traffic: Traffic
    seconds: Sequence[float]

    def percentile(self, percent: float) -> float:
        """Seconds within which this share of jobs have their images."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * percent / 100))]

    def hours(self, limit: int, *, each_address: bool) -> float:
        """Hours that the day's manifest GETs take under a limit in six hours.

        Args:
            each_address: the limit is for each site's address, not for all together.
        """
        asked: dict[int, int] = defaultdict(int)
        for (site, _), count in self.traffic.gets.items():
            asked[site if each_address else 0] += count
        return max(asked.values(), default=0) / limit * WINDOW / HOUR

    def peak(self, tier: str) -> float:
        """Bytes a second that were asked of a tier in the busiest minute."""
        return max(self.traffic.tiers[tier].by_minute) / 60

    def peak_requests(self, tier: str) -> float:
        """Requests a second likewise."""
        return max(self.traffic.tiers[tier].asked_by_minute) / 60

    def peak_uplink(self) -> float:
        """Bytes a second into the busiest site in its busiest minute."""
        return max(max(row) for row in self.traffic.uplinks) / 60

    def nodes(self) -> int:
        """Registry nodes that the mirror or cache needs; 0 where there is none."""
        plan = self.plan
        if self.strategy.source == "registry":
            return 0
        sent = self.peak("mirror") / (plan.headroom * plan.node_link)
        asked = self.peak_requests("mirror") / (plan.headroom * plan.node_requests)
        return max(1, math.ceil(max(sent, asked)))

    def used(self) -> dict[str, float]:
        """How much of each limit the busiest window or minute needs; 1 is all of it.

        All nodes of the mirror count together, and so do all sites' servers.
        """
        plan = self.plan
        node = max(
            self.peak("mirror") / plan.node_link, self.peak_requests("mirror") / plan.node_requests
        )
        gets = max(self.traffic.gets.values(), default=0)
        server = max(
            self.peak("site") / plan.node_link, self.peak_requests("site") / plan.node_requests
        )
        return {
            "rate limit": gets / plan.anonymous,
            "site uplink": self.peak_uplink() / plan.site_uplink,
            "mirror": node / plan.nodes,
            "site servers": server / plan.sites,
        }

    def when_down(self) -> tuple[float, float]:
        """Manifest GETs and bytes of the busiest hour that go upstream if the mirror is down."""
        mirror = self.traffic.tiers["mirror"]
        hours = range(24)
        busiest = max(hours, key=lambda hour: mirror.manifests_by_hour[hour])
        start = busiest * 60
        return mirror.manifests_by_hour[busiest], sum(mirror.by_minute[start : start + 60])


class Fleet:
    """One day of an organisation, under any strategy.

    Args:
        plan: what is assumed.
        costs: what was counted.
        moves: of each image.
        day: of the record.
    """

    def __init__(self, plan: Plan, costs: Costs, moves: Moves, day: int) -> None:
        self._plan = plan
        self._costs = costs
        self._moves = moves
        self._day = day
        self._estate = Estate(plan, moves)
        self._needs: dict[tuple[str, str], list[Need]] = {}
        self._views: dict[str, View] = {}

    def run(self, strategy: Strategy) -> Outcome:
        """What the day comes to."""
        wanted = self.needs(strategy)
        traffic = route(self._plan, self._costs, strategy, wanted, self.morning(strategy))
        return Outcome(
            plan=self._plan,
            strategy=strategy,
            traffic=traffic,
            seconds=sorted(_seconds(self._plan, self._costs, strategy, wanted, traffic)),
        )

    def needs(self, strategy: Strategy) -> list[Need]:
        """What each job lacks."""
        key = strategy.tool, strategy.store
        if key not in self._needs:
            self._needs[key] = needs(
                self._plan, self._view(strategy.tool), self._day, strategy.store
            )
        return self._needs[key]

    def morning(self, strategy: Strategy) -> Morning:
        """What moved before the day."""
        held: set[Blob] = set()
        if strategy.source == "cache":
            held = self._view(strategy.tool).blobs_until(self._day * DAY)
        return Morning(
            images=len(self._moves),
            moved=moved_on(self._moves, self._day),
            new=self._estate.new(self._day),
            held=frozenset(held),
        )

    def _view(self, tool: str) -> View:
        if tool not in self._views:
            made = tagged_view if tool == "docker" else locked_view
            self._views[tool] = made(self._plan, self._estate, self._moves, self._day)
        return self._views[tool]


def _seconds(
    plan: Plan, costs: Costs, strategy: Strategy, wanted: Sequence[Need], traffic: Traffic
) -> list[float]:
    """Start and round trips, the CI cache's restore, then the slowest of the links."""
    uplinks: dict[int, list[int]] = defaultdict(list)
    for number, need in enumerate(wanted):
        uplinks[need.runner % plan.sites].append(number)
    outside = [
        need.restored + parts.get("registry", 0) + parts.get("mirror", 0)
        for need, parts in zip(wanted, traffic.parts, strict=True)
    ]
    link = plan.runner_link
    slowest = [0.0] * len(wanted)

    def pass_through(jobs: Sequence[int], sizes: Sequence[int], capacity: float) -> None:
        moving = [number for number in jobs if sizes[number]]
        flows = [(wanted[number].when, float(sizes[number])) for number in moving]
        took = shared(flows, capacity=capacity, each=link)
        for number, seconds in zip(moving, took, strict=True):
            slowest[number] = max(slowest[number], seconds)

    for jobs in uplinks.values():
        pass_through(jobs, outside, plan.site_uplink)
        if strategy.site:
            at_site = [parts.get("site", 0) for parts in traffic.parts]
            pass_through(jobs, at_site, plan.node_link)
    if strategy.source != "registry":
        of_mirror = [parts.get("mirror", 0) for parts in traffic.parts]
        pass_through(range(len(wanted)), of_mirror, plan.nodes * plan.node_link)
    more = max(0.0, 1 / plan.cache_rate - 1 / link)  # the CI's cache is slower than the link
    trips = _Trips(plan, costs, strategy)
    return [
        plan.start + trips.of(need) + need.restored * more + seconds
        for need, seconds in zip(wanted, slowest, strict=True)
    ]


class _Trips:
    """Seconds of round trips before a job's bytes flow: docker pulls image after image."""

    def __init__(self, plan: Plan, costs: Costs, strategy: Strategy) -> None:
        self._docker = strategy.tool == "docker"
        fresh = costs.find(counting.PULL if self._docker else counting.FRESH)
        again = costs.find(counting.PULL_AGAIN if self._docker else counting.AGAIN)
        self._fresh = fresh.per_image("HEAD manifests") + fresh.per_image("GET manifests")
        self._again = again.per_image("HEAD manifests") + again.per_image("GET manifests")
        near = plan.registry_trip if strategy.source == "registry" else plan.mirror_trip
        self._trip = plan.site_trip if strategy.site else near
        cached = strategy.source == "cache"
        self._check = plan.registry_trip if cached else 0.0  # a cache asks what the tag names

    def of(self, need: Need) -> float:
        lacking = len(need.images)
        if self._docker:
            there = len(need.content.images) - lacking
            rounds = math.ceil(len(need.blobs) / DOCKER_AT_ONCE)
            trips = self._fresh * lacking + self._again * there + rounds
            return trips * self._trip + self._check * len(need.content.images)
        if not lacking:
            return 0.0
        return (self._fresh + math.ceil(len(need.blobs) / PINNER_AT_ONCE)) * self._trip
