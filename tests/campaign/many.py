"""Sixteen processes at once on one store: no name is lost, no blob comes twice."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from campaign.arena import PATIENCE, SYNC, Sizes, Tally, arena
from support.oracle import assert_sound
from support.storing import noise

if TYPE_CHECKING:
    from pathlib import Path

    from campaign.arena import Arena

_PACE: Final = 0.02
_SIZES: Final = Sizes(shared=1_500_000, own=1_000, small=1_000)


def race(folder: Path, *, processes: int, rounds: int) -> Tally:
    """Let each process sync an image of its own, which shares a layer with all others."""
    tally = Tally()
    with arena(folder, _SIZES, pace=_PACE) as here:
        names = [f"app-{number}" for number in range(processes)]
        shared = noise(1, _SIZES.shared)
        for number, name in enumerate(names):
            image = here.sim.content.add_image(
                f"many/{name}", "1", layers=[shared, noise(100 + number, 1_000)]
            )
            here.blobs |= {
                digest: len(here.sim.content.repository(f"many/{name}").blobs[digest])
                for digest in image.blobs
            }
        here.ground.want(**{name: f"many/{name}:1" for name in names})
        locked = here.run("lock")
        assert locked.code == 0, locked.err
        for number in range(rounds):
            shutil.rmtree(here.ground.store, ignore_errors=True)
            with tally.judging(f"round {number}"):
                _round(here, names, tally)
    return tally


def _round(here: Arena, names: list[str], tally: Tally) -> None:
    seen = len(here.sim.requests)
    command, *options = SYNC
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    running = [here.ground.start(command, name, *options, **quiet) for name in names]
    try:
        said = [process.communicate(timeout=2 * PATIENCE)[1].decode() for process in running]
    except subprocess.TimeoutExpired:
        raise AssertionError(f"no end after {2 * PATIENCE} s") from None
    finally:
        for process in running:
            process.kill()
            process.wait()
    failed = [err for process, err in zip(running, said, strict=True) if process.returncode]
    tally.counts["rounds"] += 1
    tally.counts["processes"] += len(names)
    kept = b"".join(data for name, data in here.outcome().items() if name == "index.json").decode()
    there = [name for name in names if f"/many/{name}:1" in kept]
    asked = here.asked(here.sim.requests[seen:])
    tally.counts["names kept"] += len(there)
    tally.counts["blobs"] += len(asked)
    tally.counts["bytes of blobs"] += sum(here.blobs[digest] for digest in asked)
    tally.counts["bytes asked for"] += sum(asked.values())
    assert not failed, failed[0]
    assert there == names, f"names lost: {set(names) - set(there)}"
    twice = {digest for digest, count in asked.items() if count != here.blobs[digest]}
    assert not twice, f"not fetched exactly once: {twice}"
    assert_sound(here.ground.store)
