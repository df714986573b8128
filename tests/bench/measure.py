"""Measures commands side by side: interleaved, each into a fresh place, medians."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

_CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run: wall-clock and CPU seconds, peak resident bytes.

    Attributes:
        flush: seconds that the kernel needs afterwards to bring to the disk what was written.
    """

    seconds: float
    cpu: float
    peak: int
    flush: float


@dataclass(slots=True)
class Run:
    """Commands to be timed one after another, and what else counts as theirs.

    Attributes:
        daemon: a process that works for them and was started beforehand; None without.
    """

    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    cwd: Path
    daemon: int | None = None


class Contestant(Protocol):
    """Something to be measured."""

    @property
    def name(self) -> str:
        """How the table calls it."""
        ...

    def prepared(self, folder: Path) -> AbstractContextManager[Run]:
        """What to time, with everything ready and nothing of an earlier run in `folder`."""
        ...


@dataclass(slots=True)
class Result:
    """All samples of one contestant."""

    name: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The median of the wall-clock times."""
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def fastest(self) -> float:
        """The wall-clock time of the fastest run."""
        return min(sample.seconds for sample in self.samples)

    @property
    def slowest(self) -> float:
        """The wall-clock time of the slowest run."""
        return max(sample.seconds for sample in self.samples)

    @property
    def cpu(self) -> float:
        """The median of the CPU seconds."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def flush(self) -> float:
        """The median of the seconds until the disk had everything, after the end."""
        return statistics.median(sample.flush for sample in self.samples)

    @property
    def peak(self) -> int:
        """The largest peak of all runs, in bytes."""
        return max(sample.peak for sample in self.samples)


def side_by_side(
    contestants: Sequence[Contestant], folder: Path, *, rounds: int
) -> dict[str, Result]:
    """`rounds` samples of each, every round in another order, by name."""
    results = {contestant.name: Result(contestant.name) for contestant in contestants}
    for number, contestant in _interleaved(contestants, rounds):
        place = folder / f"run-{number}"
        place.mkdir(parents=True)
        with contestant.prepared(place) as run:
            os.sync()  # nobody pays for what the one before left to be written
            sample = _measured(run)
        results[contestant.name].samples.append(sample)
        _remove(place)
        _say(f"  {contestant.name:<24} {sample.seconds:7.3f} s  {sample.peak / 1e6:6.1f} MB")
    return results


def _interleaved(
    contestants: Sequence[Contestant], rounds: int
) -> Iterator[tuple[int, Contestant]]:
    # Shuffled, not rotated: nobody shall always follow the same one, who warmed memory up or not.
    shuffler = random.Random(rounds)
    for turn in range(rounds):
        order = shuffler.sample(contestants, len(contestants))
        yield from enumerate(order, turn * len(contestants))


def _measured(run: Run) -> Sample:
    before = _daemon_cpu(run.daemon)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(_CHILD)],
        input=json.dumps([list(argv) for argv in run.commands]).encode(),
        capture_output=True,
        env=dict(run.environment),
        cwd=run.cwd,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode(errors="replace"))
    figures: dict[str, Any] = json.loads(done.stdout)
    start = time.perf_counter()
    os.sync()
    return Sample(
        flush=time.perf_counter() - start,
        seconds=figures["seconds"],
        cpu=figures["cpu"] + _daemon_cpu(run.daemon) - before,
        peak=figures["peak"] + _daemon_peak(run.daemon),
    )


def _daemon_cpu(pid: int | None) -> float:
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _daemon_peak(pid: int | None) -> int:
    if pid is None:
        return 0
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def _remove(folder: Path) -> None:
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
