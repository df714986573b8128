"""`make campaign`: kills, failing disks and power cuts, with real processes.

Writes fixtures/campaign/results.json, and from it the tables in docs/campaign.md. Every part that
meets something that must never happen is named at the end, with the case, and makes it fail.
Options: --part NAME (these alone, the others' results stay), --share N (a 1/N of everything),
--minutes N (the most that each series of kills takes), --workers N (2), --dry (write nothing).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign import report, results
from campaign.arena import Tally
from campaign.fulldisk import fill_disks
from campaign.kills import SEED, kill_at_random
from campaign.many import race
from campaign.powercut import cut_power
from campaign.rot import damage
from campaign.sweep import AT_OPENING, ERRORS, KILL, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs/campaign.md"
_SHARDS: Final = 4
_KILL_SHARDS: Final = 4
_ALL: Final = (KILL, *ERRORS, *AT_OPENING)
_TO_UPDATE: Final = (KILL, "EIO", "ENOSPC")
"""An update stores blobs as a sync does, which meets every error."""

_Job = tuple[str, "Callable[[Path], Tally]"]


def main(arguments: Sequence[str]) -> int:
    """Run the parts and write what came of them; 1 where something failed."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--part", action="append", choices=results.PARTS)
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args(arguments)
    wanted = options.part or results.PARTS
    jobs = [
        job for job in _jobs(options.share, options.minutes) if results.part_of(job[0]) in wanted
    ]
    found = _run(jobs, options.workers)
    kept = [one for one in results.load().rows if results.part_of(one.name) not in wanted]
    everything = results.collect([*kept, *found])
    text = report.render(everything)
    sys.stdout.write(f"{text}\n")
    if not options.dry:
        results.RESULTS.write_text(results.dumps(everything), encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(report.placed(page, text), encoding="utf-8")
    failures = [failure for row in found for failure in row.failures]
    sys.stderr.writelines(f"FAILED {failure}\n" for failure in failures)
    return bool(failures)


def _jobs(share: int, minutes: float) -> Iterator[_Job]:
    """What is run, the longest first; jobs of one name make one row."""
    for command, faults in (
        ("sync", _ALL),
        ("update --fetch", _TO_UPDATE),
        ("lock", _ALL),
    ):
        shards = 1 if command == "lock" else _SHARDS
        for shard in range(shards):
            yield (
                f"calls: {command}",
                functools.partial(
                    sweep, command=command, faults=faults, every=shards * share, first=shard
                ),
            )
    for command in ("sync", "update --fetch"):
        for shard in range(_KILL_SHARDS):
            yield (
                f"kills: {command}",
                functools.partial(
                    kill_at_random,
                    command=command,
                    kills=-(-250 // _KILL_SHARDS // share),
                    seed=SEED + shard,
                    minutes=minutes,
                ),
            )
        yield (
            f"power cuts: {command}",
            functools.partial(cut_power, command=command, states=4, every=share),
        )
    yield "many: sixteen", functools.partial(race, processes=16, rounds=-(-20 // share))
    yield "disks: full", functools.partial(fill_disks, rounds=100 // share)
    yield "rot: blobs", damage


def _run(jobs: Sequence[_Job], workers: int) -> list[results.Row]:
    tallies: dict[str, Tally] = {}
    seconds: dict[str, float] = {}
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        started = {pool.submit(_job, job): name for name, job in jobs}
        for done in concurrent.futures.as_completed(started):
            name = started[done]
            tally, took = done.result()
            tallies.setdefault(name, Tally()).add(tally)
            seconds[name] = seconds.get(name, 0) + took
            sys.stderr.write(f"{name}: {took:.0f} s, {len(tally.failures)} failed\n")
    names = dict.fromkeys(name for name, _ in jobs)
    return [
        results.Row(
            name=name,
            seconds=round(seconds[name]),
            counts=dict(sorted(tallies[name].counts.items())),
            failures=tuple(sorted(tallies[name].failures)),
        )
        for name in names
    ]


def _job(job: Callable[[Path], Tally]) -> tuple[Tally, float]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        tally = job(Path(folder, "arena"))
    return tally, time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
