"""A run over many targets, each in a process of its own, some at a time.

build/fuzz/TARGET/corpus       inputs that reach something of their own; the next run begins there
build/fuzz/TARGET/failures     one input for each failure, and its name beside it
build/fuzz/TARGET/log          what the engine said
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

from fuzz.guided import failures, read_log
from fuzz.results import Row
from fuzz.seeds import inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fuzz.target import Target

ROOT: Final = Path(__file__).resolve().parents[2]
WORK: Final = ROOT / "build/fuzz"
_GRACE: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What makes inputs: a module that is run with a target's name, a folder and seconds."""

    name: str
    module: str


GUIDED: Final = Engine(name="atheris, by coverage", module="fuzz.guided")
BLIND: Final = Engine(name="hypothesis, without coverage", module="fuzz.blind")


def engine() -> Engine:
    """The best one that is installed."""
    return GUIDED if importlib.util.find_spec("atheris") is not None else BLIND


def run(
    targets: Sequence[Target], *, seconds: int, jobs: int, fresh: bool, work: Path = WORK
) -> Iterator[Row]:
    """Fuzz all targets; each one's row as soon as it is done.

    Args:
        targets: which.
        seconds: for each, and somewhat more for start and end.
        jobs: how many at a time.
        fresh: whether to begin with the seeds alone, not with what earlier runs kept.
        work: folder for corpora, failures and logs.
    """
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(_one, target, seconds, work / target.name, fresh) for target in targets
        ]
        for done in as_completed(waiting):
            yield done.result()


def _one(target: Target, seconds: int, folder: Path, fresh: bool) -> Row:  # noqa: FBT001
    seeds = _prepared(target, folder, fresh=fresh)
    begun = time.monotonic()
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", engine().module, target.name, str(folder), str(seconds)]
        path = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": path}, cwd=folder
        )
        try:
            status = process.wait(seconds + _GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    told = read_log((folder / "log").read_text(encoding="utf-8", errors="replace"))
    found = list(failures(folder))
    if not told.ended or status:
        stopped = ", ".join(path.name for path in folder.glob("stopped-*"))
        found.append(f"stopped before its time, status {status}: {stopped or 'see its log'}")
    return Row(
        target=target.name,
        seconds=round(time.monotonic() - begun),
        executed=told.executed,
        edges=told.edges,
        seeds=seeds,
        new=told.new,
        failures=tuple(found),
    )


def _prepared(target: Target, folder: Path, *, fresh: bool) -> int:
    """A folder with a corpus and no failures; how many inputs the corpus has."""
    corpus = folder / "corpus"
    if fresh:
        shutil.rmtree(corpus, ignore_errors=True)
    shutil.rmtree(folder / "failures", ignore_errors=True)
    for old in folder.glob("stopped-*"):
        old.unlink()
    corpus.mkdir(parents=True, exist_ok=True)
    for data in inputs(target):
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return sum(1 for _ in corpus.iterdir())
