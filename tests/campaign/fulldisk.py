"""A disk that is really full: a tmpfs with too little room, which then grows."""

from __future__ import annotations

import contextlib
import os
import random
import re
from typing import TYPE_CHECKING, Final

from campaign.arena import LARGE, LOCK, SYNC, Tally, arena
from campaign.kills import SEED
from support.oracle import assert_sound
from support.tmpfs import tmpfs

if TYPE_CHECKING:
    from pathlib import Path

    from campaign.arena import Arena

_KIB: Final = 1024
_MIB: Final = 1024 * _KIB
_SMALLEST, _LARGEST = 16 * _KIB, 20 * _MIB
_ENOUGH: Final = 64 * _MIB
_NEEDED: Final = re.compile(r"\([0-9]+ bytes were needed\)")


def fill_disks(folder: Path, *, rounds: int, seed: int = SEED) -> Tally:
    """Sync into so many disks of random sizes, and lock on so many that are full but for a bit."""
    tally, chance = Tally(), random.Random(f"{seed} disks")
    with arena(folder, LARGE) as here:
        needed = sum(len(data) for data in here.whole().values())
        for number in range(rounds):
            # Most are too small; some have room for everything.
            size = round(chance.uniform(_SMALLEST, min(_LARGEST, needed * 1.1)))
            here.begin("sync")
            with tally.judging(f"sync, disk {number} of {size} bytes"):
                _sync(here, size, tally)
            here.begin("lock")
            with tally.judging(f"lock, disk {number}"):
                _lock(here, chance.choice((0, 0, 1, 2)), tally)
    return tally


def _sync(here: Arena, size: int, tally: Tally) -> None:
    with tmpfs(here.ground.store, size) as resize:
        ran = here.run(*SYNC)
        tally.counts["sync: disks"] += 1
        tally.counts[f"sync: exit {ran.code}"] += 1
        assert ran.code in {0, 5}, f"exit {ran.code}: {ran.err}"
        assert_sound(here.ground.store)
        if ran.code:
            assert "no space left on the disk" in ran.err, ran.err
            assert str(here.ground.store) in ran.err, ran.err
            tally.counts["sync: says the bytes that were needed"] += bool(_NEEDED.search(ran.err))
            assert "Traceback" not in ran.err, ran.err
            kept = sum(here.published().values())
            tally.counts["sync: bytes kept"] += kept
            # What could not be written is not left in the way of the rest.
            again = here.run(*SYNC)
            assert again.code == 5, again.err
            assert sum(here.published().values()) >= kept
        resize(_ENOUGH)
        here.assert_converges("sync")


def _lock(here: Arena, pages: int, tally: Tally) -> None:
    """Lock where there is room for so many pages, of which a new lockfile needs one."""
    with tmpfs(here.ground.project, _MIB) as resize:
        here.ground.spec.write_bytes(here.spec)
        filler = here.ground.project / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4 * _KIB))
        os.truncate(filler, filler.stat().st_size - pages * 4 * _KIB)
        ran = here.run(*LOCK)
        tally.counts["lock: disks"] += 1
        tally.counts[f"lock: exit {ran.code}"] += 1
        assert ran.code == (0 if pages else 5), f"{pages} pages: exit {ran.code}: {ran.err}"
        if ran.code:
            assert "images.lock: cannot be written: No space left on device" in ran.err, ran.err
            assert here.lock() is None
            assert {file.name for file in here.ground.project.iterdir()} == {
                "images.toml",
                "filler",
            }
        resize(_ENOUGH)
        filler.unlink()
        here.assert_converges("lock")
