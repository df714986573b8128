"""Every blob of a store is damaged in turn: `verify` finds it, and each healer mends it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Final

from campaign.arena import SYNC, Tally, arena
from campaign.kills import SEED
from support.oracle import assert_sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from campaign.arena import Arena

HEALERS: Final = {"sync": SYNC, "verify --repair": ("verify", "--repair")}
"""Commands that fetch anew what `verify` found, by the name that the table shows."""


def flip(data: bytearray, chance: random.Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def empty(data: bytearray, chance: random.Random) -> None:
    data.clear()


def zeros(data: bytearray, chance: random.Random) -> None:
    data[:] = bytes(len(data))


DAMAGES: Final = {
    "one bit flipped": flip,
    "truncated": cut,
    "empty": empty,
    "zeros": zeros,
}


def damage(folder: Path, *, seed: int = SEED) -> Tally:
    """Damage each blob in each way, once for each healer."""
    tally, chance = Tally(), random.Random(f"{seed} rot")
    with arena(folder) as here:
        here.begin("sync")
        here.assert_converges("sync")
        tally.counts["blobs"] = len(here.published())
        for digest in sorted(here.published()):
            for label, spoil in DAMAGES.items():
                for healer, command in HEALERS.items():
                    with tally.judging(f"{label}: {digest}: {healer}"):
                        _spoil(here, digest, spoil, chance)
                        tally.counts[f"{label}: blobs"] += healer == "sync"
                        _assert_found(here, digest)
                        tally.counts[f"{label}: verify finds"] += healer == "sync"
                        _assert_healed(here, digest, command)
                        tally.counts[f"{label}: {healer} heals"] += 1
    return tally


def _spoil(
    here: Arena,
    digest: str,
    spoil: Callable[[bytearray, random.Random], None],
    chance: random.Random,
) -> None:
    file = here.ground.store / "blobs" / digest.replace(":", "/")
    data = bytearray(file.read_bytes())
    spoil(data, chance)
    file.chmod(0o644)
    file.write_bytes(data)
    file.chmod(0o444)


def _assert_found(here: Arena, digest: str) -> None:
    ran = here.run("verify", "--json")
    assert ran.code == 1, f"exit {ran.code}: {ran.err}"
    findings = json.loads(ran.out)["findings"]
    assert [found["digest"] for found in findings if found["fault"] == "corrupt"] == [digest]


def _assert_healed(here: Arena, digest: str, command: tuple[str, ...]) -> None:
    ran = here.run(*command)
    assert ran.code == 0, f"exit {ran.code}: {ran.err}"
    assert_sound(here.ground.store)
    assert here.outcome() == here.whole(), f"{digest} is not as it was"
    assert here.run("verify").code == 0
