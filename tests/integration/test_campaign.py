"""A small share of `make campaign`: see docs/campaign.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from campaign.fulldisk import fill_disks
from campaign.kills import FETCHED_AFTER, UNDER_WAY, kill_at_random
from campaign.many import race
from campaign.powercut import cut_power
from campaign.rot import DAMAGES, HEALERS, damage
from campaign.sweep import AT_OPENING, ERRORS, KILL, sweep

if TYPE_CHECKING:
    from pathlib import Path

SEED = 5


@pytest.mark.parametrize(("command", "kills"), [("sync", 3), ("update --fetch", 2)])
def test_T01_nothing_acknowledged_is_fetched_again(
    tmp_path: Path, command: str, kills: int
) -> None:
    until = (UNDER_WAY, FETCHED_AFTER)
    tally = kill_at_random(
        tmp_path / "arena", command, kills=kills, seed=SEED, until=until, by_bytes=True
    )
    assert tally.failures == []
    assert tally.counts["kills"] >= kills


@pytest.mark.servers
@pytest.mark.parametrize(
    ("command", "every", "first"), [("sync", 97, 3), ("update --fetch", 201, 40), ("lock", 11, 1)]
)
def test_T02_T04_calls_that_die_or_fail(
    tmp_path: Path, command: str, every: int, first: int
) -> None:
    tally = sweep(tmp_path / "arena", command, every=every, first=first)
    assert tally.failures == []
    landed = sum(tally.counts[f"{fault}: landed"] for fault in (KILL, *ERRORS, *AT_OPENING))
    assert landed > tally.counts["runs"] / 2 > 2


@pytest.mark.servers
@pytest.mark.parametrize(("command", "every"), [("sync", 9), ("update --fetch", 41)])
def test_T03_power_cuts(tmp_path: Path, command: str, every: int) -> None:
    tally = cut_power(tmp_path / "arena", command, states=2, every=every, seed=SEED)
    assert tally.failures == []
    assert tally.counts["power cuts"] == 6 * (tally.counts["changes"] // every) > 0
    assert command != "sync" or tally.counts["spoiled blobs"] > 0


@pytest.mark.servers
def test_T04_disks_that_are_full(tmp_path: Path) -> None:
    tally = fill_disks(tmp_path / "arena", rounds=4, seed=SEED)
    assert tally.failures == []
    assert tally.counts["sync: says the bytes that were needed"] > 0
    assert tally.counts["lock: exit 5"] > 0


def test_T17_T18_four_processes(tmp_path: Path) -> None:
    tally = race(tmp_path / "arena", processes=4, rounds=1)
    assert tally.failures == []
    assert tally.counts["names kept"] == 4
    assert tally.counts["bytes asked for"] == tally.counts["bytes of blobs"] > 1_000_000


def test_T10_T11_every_blob_damaged(tmp_path: Path) -> None:
    tally = damage(tmp_path / "arena")
    assert tally.failures == []
    for label in DAMAGES:
        for key in ("verify finds", *(f"{healer} heals" for healer in HEALERS)):
            assert tally.counts[f"{label}: {key}"] == tally.counts["blobs"] > 5
