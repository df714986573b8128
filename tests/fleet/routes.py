"""Who serves what the jobs of a day lack: requests and bytes at each tier (pure).

    runner's own store or CI cache -> site's server -> mirror or pull-through cache -> registry

Requests are those that `fleet.counting` counted, for each image and blob.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fleet import counting
from fleet.plan import DAY, WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleet.costs import Costs
    from fleet.estate import Blob
    from fleet.plan import Plan
    from fleet.stores import Need

MINUTES: Final = int(DAY / 60)
TIERS: Final = ("own", "ci", "site", "mirror", "registry")
"""Who has bytes: a runner's store, the CI's cache, a site's server, mirror or cache, registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How runners get their images.

    Attributes:
        tool: `docker` or `pinner`.
        store: one of `stores.KINDS`.
        source: `registry`; `mirror`, which has it before it is asked; `cache`, which fetches it.
        site: whether each site has a server of its own before the source.
    """

    name: str
    tool: str
    store: str
    source: str
    site: bool = False


STRATEGIES: Final = (
    Strategy(name="docker pull, empty runners", tool="docker", store="cold", source="registry"),
    Strategy(name="docker pull, warm runners", tool="docker", store="warm", source="registry"),
    Strategy(
        name="docker pull through a cache, empty runners",
        tool="docker",
        store="cold",
        source="cache",
    ),
    Strategy(name="sync, empty runners", tool="pinner", store="cold", source="registry"),
    Strategy(name="sync, CI cache", tool="pinner", store="cached", source="registry"),
    Strategy(name="sync, warm stores", tool="pinner", store="warm", source="registry"),
    Strategy(name="sync, mirror, empty runners", tool="pinner", store="cold", source="mirror"),
    Strategy(name="sync, mirror, CI cache", tool="pinner", store="cached", source="mirror"),
    Strategy(name="sync, mirror, warm stores", tool="pinner", store="warm", source="mirror"),
    Strategy(
        name="sync, mirror, sites, empty runners",
        tool="pinner",
        store="cold",
        source="mirror",
        site=True,
    ),
    Strategy(
        name="sync, mirror, sites, warm stores",
        tool="pinner",
        store="warm",
        source="mirror",
        site=True,
    ),
)


@dataclass(slots=True)
class Tally:
    """What one tier was asked for and sent.

    Attributes:
        served: bytes to runners.
        filled: bytes to tiers nearer to them.
        by_minute: bytes, by the minute in which they were asked for.
        asked_by_minute: requests likewise.
        manifests_by_hour: manifest GETs.
    """

    heads: float = 0
    manifests: float = 0
    blobs: float = 0
    served: int = 0
    filled: int = 0
    by_minute: list[float] = field(default_factory=lambda: [0.0] * MINUTES)
    asked_by_minute: list[float] = field(default_factory=lambda: [0.0] * MINUTES)
    manifests_by_hour: list[float] = field(default_factory=lambda: [0.0] * 24)

    @property
    def requests(self) -> float:
        """All of them."""
        return self.heads + self.manifests + self.blobs

    @property
    def sent(self) -> int:
        """All bytes."""
        return self.served + self.filled

    def add(
        self,
        when: float,
        *,
        heads: float = 0,
        manifests: float = 0,
        blobs: float = 0,
        served: int = 0,
        filled: int = 0,
    ) -> None:
        """Count requests of a moment, and what they brought."""
        self.heads += heads
        self.manifests += manifests
        self.blobs += blobs
        self.served += served
        self.filled += filled
        minute = min(int(when // 60), MINUTES - 1)
        self.by_minute[minute] += served + filled
        self.asked_by_minute[minute] += heads + manifests + blobs
        self.manifests_by_hour[minute // 60] += manifests


@dataclass(slots=True)
class Traffic:
    """What became of a day.

    Attributes:
        wanted: bytes that the jobs' images have.
        jobs: how many there were.
        restored: bytes that the CI's cache sent, useful or not.
        uplinks: of each site, bytes that came in by the minute.
        gets: manifest GETs at the registry by site and window of six hours, -1 for a site standing
            for what mirrors, caches and updates ask.
        stopped: jobs that a rate limit for each address refused something.
        parts: of each job, the bytes that each tier sent.
    """

    wanted: int
    jobs: int
    tiers: dict[str, Tally]
    uplinks: list[list[float]]
    restored: int = 0
    stopped: int = 0
    gets: Counter[tuple[int, int]] = field(default_factory=Counter)
    parts: list[dict[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What the moves of 24 hours mean for mirrors and servers.

    Attributes:
        images: how many images the lock has.
        moved: how many of them moved.
        new: their new blobs, of one platform.
        held: the blobs that a pull-through cache has when the day begins.
    """

    images: int
    moved: int
    new: Mapping[Blob, int]
    held: frozenset[Blob]


def route(
    plan: Plan, costs: Costs, strategy: Strategy, needs: Sequence[Need], morning: Morning
) -> Traffic:
    """Send every job's needs to whoever has them."""
    traffic = Traffic(
        wanted=0,
        jobs=len(needs),
        tiers={tier: Tally() for tier in TIERS},
        uplinks=[[0.0] * MINUTES for _ in range(plan.sites)],
    )
    router = _Router(plan, costs, strategy, morning, traffic)
    router.prepare()
    sizes: dict[int, int] = {}
    for need in needs:
        if id(need.content) not in sizes:
            sizes[id(need.content)] = sum(need.content.blobs.values())
        router.take(need, sizes[id(need.content)])
    return traffic


class _Router:
    def __init__(
        self, plan: Plan, costs: Costs, strategy: Strategy, morning: Morning, traffic: Traffic
    ) -> None:
        self._plan = plan
        self._strategy = strategy
        self._morning = morning
        self._traffic = traffic
        self._held = set(morning.held)
        docker = strategy.tool == "docker"
        fresh = costs.find(counting.PULL if docker else counting.FRESH)
        again = costs.find(counting.PULL_AGAIN if docker else counting.AGAIN)
        first = costs.find(counting.THROUGH_EMPTY)
        self._again_heads = again.per_image("HEAD manifests")
        self._again_gets = again.per_image("GET manifests")
        self._heads = fresh.per_image("HEAD manifests")
        self._gets = fresh.per_image("GET manifests")
        self._blobs = fresh.per_blob("GET blobs")
        self._upstream_heads = costs.find(counting.THROUGH_FULL).per_image("HEAD manifests")
        self._upstream_gets = first.per_image("GET manifests")
        self._upstream_blobs = first.per_blob("GET blobs")
        self._upstream_checks = first.per_blob("HEAD blobs")
        self._upstream_bytes = first.sent / costs.find(counting.THROUGH_EMPTY, "cache").sent
        self._all = costs.find(counting.ALL).per_image("GET manifests")
        self._still = costs.find(counting.STILL).per_image("HEAD manifests")
        self._moved = costs.find(counting.MOVED).asked.get("GET manifests", 0)

    def prepare(self) -> None:
        """The update and the mirror job of the morning, and the servers of the sites."""
        if self._strategy.tool == "docker":
            return
        plan, morning, tiers = self._plan, self._morning, self._traffic.tiers
        asked: float = self._moved * morning.moved
        tiers["registry"].add(0, heads=self._still * morning.images, manifests=asked)
        self._traffic.gets[-1, 0] += round(asked)
        if self._strategy.source != "mirror":
            return
        asked = self._all * morning.moved
        new = sum(morning.new.values())
        tiers["registry"].add(
            0,
            manifests=asked,
            blobs=len(morning.new) * plan.platforms,
            filled=new * plan.platforms,
        )
        self._traffic.gets[-1, 0] += round(asked)
        if self._strategy.site:
            for site in range(plan.sites):
                tiers["mirror"].add(
                    plan.merged,
                    manifests=self._gets * morning.moved,
                    blobs=self._blobs * len(morning.new),
                    filled=new,
                )
                self._enter(site, plan.merged, new)

    def take(self, need: Need, size: int) -> None:
        """One job."""
        traffic, strategy, when = self._traffic, self._strategy, need.when
        lacking = sum(need.blobs.values())
        traffic.wanted += size
        near = "ci" if strategy.store == "cached" else "own"
        traffic.tiers[near].add(when, served=size - lacking)
        traffic.restored += need.restored
        site = need.runner % self._plan.sites
        parts = {near: size - lacking}
        if strategy.site:
            late = self._late(need)
            near_by = {blob: size for blob, size in need.blobs.items() if blob not in late}
            parts["site"] = self._ask("site", need, len(need.images), near_by)
            several = sum(any(b in late for b in need.content.of[one]) for one in need.images)
            parts["mirror"] = self._ask("mirror", need, several, late)
            self._enter(site, when, parts["mirror"] + need.restored)
        else:
            tier = "registry" if strategy.source == "registry" else "mirror"
            parts[tier] = self._ask(tier, need, len(need.images), need.blobs)
            self._enter(site, when, lacking + need.restored)
        if strategy.source == "registry":
            self._limit(need, site)
        elif strategy.source == "cache":
            self._pass_on(need)
        traffic.parts.append(parts)

    def _ask(self, tier: str, need: Need, images: int, blobs: Mapping[Blob, int]) -> int:
        """Let a tier serve these images' manifests and these blobs; the bytes."""
        there = len(need.content.images) - len(need.images)
        served = sum(blobs.values())
        self._traffic.tiers[tier].add(
            need.when,
            heads=self._heads * images + self._again_heads * there,
            manifests=self._gets * images + self._again_gets * there,
            blobs=self._blobs * len(blobs),
            served=served,
        )
        return served

    def _late(self, need: Need) -> dict[Blob, int]:
        """What the site's server does not have yet."""
        since = need.when - self._plan.merged
        if not 0 <= since < self._plan.filled:
            return {}
        return {blob: size for blob, size in need.blobs.items() if blob in self._morning.new}

    def _limit(self, need: Need, site: int) -> None:
        """Count manifest GETs as the public registry does, for each address."""
        there = len(need.content.images) - len(need.images)
        asked = round(self._gets * len(need.images) + self._again_gets * there)
        if asked:
            window = site, int(need.when // WINDOW)
            self._traffic.gets[window] += asked
            self._traffic.stopped += self._traffic.gets[window] > self._plan.anonymous

    def _pass_on(self, need: Need) -> None:
        """What a pull-through cache asks for in turn."""
        blobs = {blob: size for blob, size in need.blobs.items() if blob not in self._held}
        new = [one for one in need.images if any(b in blobs for b in need.content.of[one])]
        self._held.update(blobs)
        asked = self._upstream_gets * len(new)
        self._traffic.tiers["registry"].add(
            need.when,
            heads=self._upstream_heads * len(need.content.images)
            + self._upstream_checks * len(blobs),
            manifests=asked,
            blobs=self._upstream_blobs * len(blobs),
            filled=round(self._upstream_bytes * sum(blobs.values())),
        )
        window = -1, int(need.when // WINDOW)
        self._traffic.gets[window] += round(asked)
        if asked:
            self._traffic.stopped += self._traffic.gets[window] > self._plan.anonymous

    def _enter(self, site: int, when: float, size: int) -> None:
        self._traffic.uplinks[site][min(int(when // 60), MINUTES - 1)] += size
