"""A run over many targets, each in a process of its own, some at a time.

build/fuzz/TARGET/corpus       inputs that reach something of their own; the next run begins there
build/fuzz/TARGET/failures     one input for each failure, and its name beside it
build/fuzz/TARGET/log          what the engine said
build/fuzz/TARGET/running      see `running`
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz.guided import ended, failures, keep, read_log
from fuzz.results import Row
from fuzz.running import seen
from fuzz.seeds import inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fuzz.target import Target

ROOT: Final = Path(__file__).resolve().parents[2]
WORK: Final = ROOT / "build/fuzz"
_GRACE: Final = 1200  # only what waits without working takes so long, on whichever machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What makes inputs: a module, run with a target's name, a folder, seconds and inputs."""

    name: str
    module: str


GUIDED: Final = Engine(name="atheris, by coverage", module="fuzz.guided")
BLIND: Final = Engine(name="hypothesis, without coverage", module="fuzz.blind")


def engine() -> Engine:
    """The best one that is installed."""
    return GUIDED if importlib.util.find_spec("atheris") is not None else BLIND


def run(
    targets: Sequence[Target],
    *,
    seconds: int,
    jobs: int,
    fresh: bool,
    steady: bool = False,
    work: Path = WORK,
) -> Iterator[Row]:
    """Fuzz all targets; each one's row as soon as it is done.

    Args:
        targets: which.
        seconds: for each, and somewhat more for start and end.
        jobs: how many at a time.
        fresh: whether to begin with the seeds alone, not with what earlier runs kept.
        steady: whether to run the inputs that CI runs (`guided`); implies `fresh`.
        work: folder for corpora, failures and logs.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(
                _one,
                target,
                seconds,
                work / target.name,
                fresh=fresh or steady,
                inputs=target.steady if steady else 0,
            )
            for target in targets
        ]
        for done in as_completed(waiting):
            yield done.result()


def _one(target: Target, seconds: int, folder: Path, *, fresh: bool, inputs: int) -> Row:
    seeds = _prepared(target, folder, fresh=fresh)
    begun = time.monotonic()
    status = _ran(target, seconds, folder, inputs)
    told = read_log((folder / "log").read_text(encoding="utf-8", errors="replace"))
    done = seen(folder)
    if status is None:
        keep(folder, "waits for ever", done.last)
    elif status < 0:
        keep(folder, ended(status), done.last)
    found = list(failures(folder))
    if not found and (status or not told.ended):
        found.append(f"stopped before its time, status {status}: see its log")
    return Row(
        target=target.name,
        seconds=round(time.monotonic() - begun),
        executed=told.executed,
        edges=told.edges,
        seeds=seeds,
        new=told.new,
        checksum=done.checksum,
        failures=tuple(found),
    )


def _ran(target: Target, seconds: int, folder: Path, inputs: int) -> int | None:
    """How the target's process ended; None where it had to be ended."""
    command = [sys.executable, "-m", engine().module, target.name, str(folder)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
        # Else sets have another order in each run, and branches another number of turns.
        **({"PYTHONHASHSEED": "0"} if inputs else {}),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, str(seconds), str(inputs)],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=folder,
        )
        try:
            return process.wait(seconds + _GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None


def _prepared(target: Target, folder: Path, *, fresh: bool) -> int:
    """A folder with a corpus and no failures; how many inputs the corpus has."""
    corpus = folder / "corpus"
    if fresh:
        shutil.rmtree(corpus, ignore_errors=True)
    shutil.rmtree(folder / "failures", ignore_errors=True)
    for old in (*folder.glob("stopped-*"), folder / "running"):
        old.unlink(missing_ok=True)
    corpus.mkdir(parents=True, exist_ok=True)
    for data in inputs(target):
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return sum(1 for _ in corpus.iterdir())
