"""Processes that are killed at any moment: what they had acknowledged is never fetched again."""

from __future__ import annotations

import random
import signal
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from campaign.arena import LARGE, Tally, arena
from support.waiting import await_that

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from campaign.arena import Arena

SEED: Final = 20_261_127
UNDER_WAY: Final = "bytes acknowledged of blobs under way"
FETCHED_AFTER: Final = "bytes fetched after"
_PACE: Final = 0.012
_AGAIN: Final = 1 / 3
_UNDISTURBED: Final = 3
_LAG: Final = 1024 * 1024
_IN_HAND: Final = 8 * 256 * 1024
"""What eight connections may have written since somebody looked whether a journal was due."""


def kill_at_random(
    folder: Path,
    command: str,
    *,
    kills: int,
    seed: int = SEED,
    until: Sequence[str] = (),
    minutes: float = 60,
    by_bytes: bool = False,
) -> Tally:
    """Kill a command so often, each time at a moment drawn uniformly from the length of a run.

    The length is one in seconds; or `by_bytes`, in those of blobs, which are the same however busy
    the machine is: there the registry holds the next ones back until the command is killed.

    A third of the killed runs are followed by one that is killed as well; all others by one that
    has to come to what an undisturbed run comes to. `until` are counts that have to be positive
    first: there are up to ten times as many kills then. There are fewer if `minutes` are over.
    """
    over = time.monotonic() + minutes * 60
    tally, chance = Tally(), random.Random(f"{seed} {command}")
    with arena(folder, LARGE, pace=_PACE) as here:
        here.whole()
        if by_bytes:
            _undisturbed(here, command)
            kill, length = _killed_at_byte, float(here.sim.gate.passed)
        else:
            lengths = [_undisturbed(here, command) for _ in range(_UNDISTURBED)]
            kill, length = _killed_after, statistics.median(lengths)
            tally.counts["milliseconds of a run"] = round(length * 1000)
        while tally.counts["kills"] < kills or not all(tally.counts[count] for count in until):
            if time.monotonic() > over:
                break
            assert tally.counts["kills"] < 10 * kills, f"{until}: not all came about"
            here.begin(command)
            left = max(kills - tally.counts["kills"], 1)
            is_killed = partial(kill, here, command, length)
            _chain(here, command, is_killed, chance, tally, left=left)
    return tally


def _undisturbed(here: Arena, command: str) -> float:
    here.begin(command)
    begun = time.monotonic()
    assert here.ended(here.start(command)) == 0
    return time.monotonic() - begun


def _chain(
    here: Arena,
    command: str,
    is_killed: Callable[[random.Random], bool],
    chance: random.Random,
    tally: Tally,
    *,
    left: int,
) -> None:
    """Kills in a row on one store, then the run that converges."""
    kept: dict[str, int] = {}
    killed = 0
    while killed < left and (not killed or chance.random() < _AGAIN):
        if not is_killed(chance):
            break
        killed += 1
        tally.counts["kills"] += 1
        tally.counts[f"landed: {_moment(here, command)}"] += 1
        with tally.judging(f"{command}, kill {tally.counts['kills']}"):
            here.assert_whole(command)
            kept = _assert_kept(here, kept, tally)
    if killed:
        with tally.judging(f"{command}, after kill {tally.counts['kills']}"):
            _assert_fetches_the_rest(here, command, kept, tally)


def _killed_after(here: Arena, command: str, length: float, chance: random.Random) -> bool:
    process = here.start(command)
    time.sleep(chance.uniform(0, length))
    return _is_killed(here, process)


def _killed_at_byte(here: Arena, command: str, length: float, chance: random.Random) -> bool:
    gate = here.sim.gate
    gate.close_after(round(chance.uniform(0, length)))
    process = here.start(command)
    await_that(lambda: gate.is_closed or process.poll() is not None)
    process.kill()
    gate.open()  # for the registry, which would not settle
    return _is_killed(here, process)


def _is_killed(here: Arena, process: subprocess.Popen[bytes]) -> bool:
    process.kill()
    killed = here.ended(process) == -signal.SIGKILL
    here.settle()
    return killed


def _moment(here: Arena, command: str) -> str:
    """How far a killed run had come, by what it left."""
    if here.lock() != here.old_lock and command.startswith("update"):
        return "after images.lock was replaced"
    if not (here.ground.store / "oci-layout").exists():
        return "before the store was made"
    if here.partials():
        return "with blobs under way"
    if not here.published():
        return "before anything was stored"
    manifests = [digest for digest in here.published() if digest not in here.blobs]
    if len(manifests) == len(here.published()):
        return "with manifests alone"
    return "with blobs, none under way"


def _assert_kept(here: Arena, before: dict[str, int], tally: Tally) -> dict[str, int]:
    """The acknowledged bytes of each blob; assert that they only grow and that journals keep up."""
    kept = {digest: size for digest, size in here.published().items() if digest in here.blobs}
    for digest, (written, noted) in here.partials().items():
        lag = max(0, written - noted)
        tally.counts["bytes received"] += written
        tally.counts["bytes received, not acknowledged"] += lag
        tally.counts["largest lag"] = max(tally.counts["largest lag"], lag)
        assert lag <= _LAG + _IN_HAND, f"{digest}: the journal lags {lag} bytes behind"
        if digest not in kept:
            kept[digest] = noted
            tally.counts[UNDER_WAY] += noted
    lost = {digest for digest in before if kept.get(digest, 0) < before[digest]}
    assert not lost, f"lost what was acknowledged of {lost}"
    return kept


def _assert_fetches_the_rest(here: Arena, command: str, kept: dict[str, int], tally: Tally) -> None:
    """Assert that the next run converges, and asks for no byte that was acknowledged."""
    seen = len(here.sim.requests)
    here.assert_converges(command)
    asked = here.asked(here.sim.requests[seen:])
    tally.counts["bytes acknowledged"] += sum(kept.values())
    tally.counts[FETCHED_AFTER] += sum(asked.values())
    for digest, count in asked.items():
        allowed = here.blobs[digest] - kept.get(digest, 0)
        tally.counts["acknowledged bytes fetched again"] += max(0, count - allowed)
        assert count <= allowed, f"{digest}: asked for {count} bytes, lacked {allowed}"
