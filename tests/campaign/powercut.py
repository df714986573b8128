"""Power cuts at every call of a run: whatever was not synced is lost, and the next run heals.

The run is traced once; the states that a cut may leave are made from the trace (`disk`).
"""

from __future__ import annotations

import hashlib
import random
import shutil
import uuid
from typing import TYPE_CHECKING, Final

from campaign.arena import Tally, arena
from campaign.disk import Disk, How
from campaign.kills import SEED
from campaign.tracing import traced
from pinner.store.boot import current_boot_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from campaign.arena import Arena

_ANOTHER_BOOT: Final = str(uuid.UUID(int=7))


def cut_power(
    folder: Path, command: str, *, states: int, every: int = 1, seed: int = SEED
) -> Tally:
    """Cut the power after each n-th change that a run makes, in so many random ways each."""
    tally, chance = Tally(), random.Random(f"{seed} power {command}")
    with arena(folder) as here:
        here.begin(command)
        files = {file: file.read_bytes() for file in here.ground.project.iterdir()}
        disk = Disk((here.ground.store, here.ground.project), files)
        calls = traced(here, command)
        here.whole()
        for call in calls:
            if not disk.do(call):
                continue
            tally.counts["changes"] += 1
            if tally.counts["changes"] % every:
                continue
            for how in (How.NOTHING, How.NAMES, *[How.ORDERED, How.ANY] * states):
                label = f"{command}: power cut after change {tally.counts['changes']}, {how.value}"
                left = disk.cut(chance, how)
                with tally.judging(f"{label} ({call.kind} of {call.place.rpartition('/')[2]})"):
                    _heal(here, command, left, tally)
    return tally


def _heal(here: Arena, command: str, left: Mapping[Path, bytes | None], tally: Tally) -> None:
    _write(here, left)
    tally.counts["power cuts"] += 1
    spoiled = sum(not _is_sound(path, data) for path, data in left.items())
    tally.counts["left spoiled blobs"] += bool(spoiled)
    tally.counts["spoiled blobs"] += spoiled
    assert here.ground.spec.read_bytes() == here.spec, "images.toml was changed"
    assert here.lock() in here.allowed_locks(command), "torn lockfile"
    here.assert_converges(command)
    # What nobody needed again is not looked at; it stays in doubt until somebody does.
    doubted = sum(
        not _is_sound(file, file.read_bytes()) for file in here.ground.store.glob("blobs/*/*")
    )
    assert command != "sync" or not doubted, "a spoiled blob was not looked at"
    ran = here.run("verify")
    assert ran.code == bool(doubted), ran.out + ran.err


def _write(here: Arena, left: Mapping[Path, bytes | None]) -> None:
    """Make the folders what the cut left of them, in a later boot."""
    here.begin("nothing")
    here.ground.lockfile.unlink(missing_ok=True)
    shutil.rmtree(here.ground.store, ignore_errors=True)
    for path, data in left.items():
        place = path.with_name(_ANOTHER_BOOT) if path.name == current_boot_id() else path
        if data is None:
            place.mkdir(exist_ok=True, parents=True)
        else:
            place.write_bytes(data)


def _is_sound(path: Path, data: bytes | None) -> bool:
    is_blob = data is not None and path.parent.parent.name == "blobs"
    return not is_blob or hashlib.sha256(data or b"").hexdigest() == path.name
