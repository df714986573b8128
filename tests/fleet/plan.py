"""What is assumed: every number that the simulation does not count or compute itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MB: Final = 1_000_000
GBIT: Final = 125 * MB
"""Bytes a second of 1 Gbit/s."""
HOUR: Final = 3_600.0
DAY: Final = 24 * HOUR
WINDOW: Final = 6 * HOUR
"""Docker Hub counts manifest GETs over six hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An organisation and its links. Bytes, seconds, bytes a second; shares are 0 to 1.

    Attributes:
        seed: of everything that is drawn.
        warm_up: days that pass before the one that is counted.
        scheduled: the share of jobs that start in the first minute of an hour.
        swing: how far the rate of the other jobs is above and below its mean.
        churn: the share of persistent runners that are replaced by empty ones in a day.
        warm: the share of runners that keep their store where a strategy has warm stores.
        popularity: exponent of Zipf's law over pipelines, and over images within them.
        base_moves: how often a moved image has another base layer too.
        layer_stays: how often another layer of a moved image is the same as before.
        own: median of an image's bytes above its base.
        merged: when, after the start of the day, all pipelines take the new lock.
        filled: how long after that (the mirror has it before) a site's server has it.
        saved: how long after its start a job saves the CI's cache.
        node_requests: a second, of one registry node.
        headroom: the share of a link or node that is planned to be used.
    """

    seed: int = 5
    runners: int = 10_000
    sites: int = 20
    jobs: int = 100_000
    warm_up: int = 5
    scheduled: float = 0.1
    swing: float = 0.8
    churn: float = 0.1
    warm: float = 1.0
    pipelines: int = 200
    images: int = 3
    popularity: float = 1.0
    platforms: int = 2
    bases: tuple[int, ...] = (4 * MB, 28 * MB, 30 * MB, 49 * MB)
    base_moves: float = 0.5
    layer_stays: float = 0.25
    layers: tuple[float, ...] = (0.6, 0.25, 0.1, 0.05)
    own: int = 60 * MB
    own_spread: float = 0.8
    config: int = 8_000
    merged: float = 3 * HOUR
    filled: float = 120.0
    saved: float = 300.0
    anonymous: int = 100
    user: int = 200
    runner_link: float = 1 * GBIT
    site_uplink: float = 10 * GBIT
    node_link: float = 10 * GBIT
    nodes: int = 3
    node_requests: int = 500
    cache_rate: float = 100 * MB
    registry_trip: float = 0.05
    mirror_trip: float = 0.01
    site_trip: float = 0.001
    start: float = 0.06
    headroom: float = 0.7

    def rows(self) -> list[tuple[str, str, str]]:
        """What is assumed, how much, and why."""
        bases = ", ".join(f"{size // MB}" for size in self.bases)
        layers = " + ".join(f"{share:.0%}" for share in self.layers)
        return [
            ("runners, sites", f"{self.runners:,} on {self.sites}", "the plan"),
            ("seed", str(self.seed), "of all that is drawn; the same figures each time"),
            ("jobs a day", f"{self.jobs:,}", "assumed; each on a runner drawn evenly"),
            (
                "jobs over the day",
                (
                    f"±{self.swing:.0%} around the mean, highest at 14:00 UTC;"
                    f" {self.scheduled:.0%} start in the first minute of an hour"
                ),
                "assumed; night builds are what makes peaks",
            ),
            (
                "pipelines",
                (
                    f"{self.pipelines}, each of {self.images} images, both by Zipf's law"
                    f" (exponent {self.popularity:g})"
                ),
                "assumed",
            ),
            (
                "images",
                "40 tags of ten official images, moving as they did",
                "fixtures/replay; rebuilds for a new base alone are not in that record",
            ),
            (
                "an image's bytes",
                (
                    f"a base of {bases} MB, shared by a quarter of the images; above it a median of"
                    f" {self.own // MB} MB (lognormal, sigma {self.own_spread:g}) in layers of"
                    f" {layers}"
                ),
                "assumed; compressed",
            ),
            (
                "a moved image",
                (
                    f"has a new base in {self.base_moves:.0%} of moves;"
                    f" {self.layer_stays:.0%} of its other layers stay"
                ),
                "assumed",
            ),
            ("mirrored platforms", f"{self.platforms} of each image", "the plan"),
            (
                "a new lock",
                (
                    "all pipelines take it at 09:00 UTC, the mirror has it before, a site's server"
                    f" {self.filled:.0f} s later"
                ),
                "all at once is the worst case",
            ),
            (
                "warm stores",
                (
                    f"{self.churn:.0%} of runners are replaced by empty ones in a day;"
                    f" {self.warm_up} days passed before; nothing is pruned"
                ),
                "assumed",
            ),
            (
                "CI cache",
                (
                    f"saved {self.saved:.0f} s after a job began; restored at"
                    f" {self.cache_rate / MB:.0f} MB/s; an older one of the pipeline is restored"
                    " where there is none for this lock"
                ),
                "assumed; ask your CI",
            ),
            (
                "rate limit",
                (
                    f"{self.anonymous} manifest GETs in 6 h for an address, {self.user} for a user;"
                    " HEADs and blobs are free; one address a site"
                ),
                "Docker Hub; one user means one account for all",
            ),
            (
                "links",
                (
                    f"runner {self.runner_link / GBIT:g} Gbit/s, site uplink"
                    f" {self.site_uplink / GBIT:g}, registry node {self.node_link / GBIT:g}; the"
                    " public registry itself is never slow"
                ),
                "the plan; the last is kind to those who need it",
            ),
            (
                "a registry node",
                f"{self.node_requests} requests a second; {self.nodes} of them mirror",
                (
                    "measured: docker-registry 2.8.2 with files on two cores, which wrk used as"
                    " well: 1,220 manifests, 516 small blobs, 1.5 GB of large blobs a second"
                ),
            ),
            (
                "round trips",
                (
                    f"public registry {self.registry_trip * 1000:.0f} ms, mirror"
                    f" {self.mirror_trip * 1000:.0f} ms, site {self.site_trip * 1000:.0f} ms"
                ),
                "assumed",
            ),
            (
                "planned use",
                f"at most {self.headroom:.0%} of a link or node in the busiest minute",
                "assumed",
            ),
        ]
