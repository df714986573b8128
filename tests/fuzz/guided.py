"""Fuzzing by coverage: one target in one process, with atheris (libFuzzer), where it is installed.

    python -m fuzz.guided TARGET FOLDER SECONDS INPUTS

Long inputs come first (`long`), for an eighth of the time; they are not among those counted.
libFuzzer ends the process, so what was found stands in files: FOLDER/corpus holds the inputs that
reach something new, FOLDER/failures one input for each failure, FOLDER/log what libFuzzer said. A
failure does not end the run: others may hide behind it.

With a number of INPUTS the run is *steady*: the same inputs in the same order each time, as long as
pinner, the targets and the seeds are the same. Chance has a seed; seeds come in one order; nothing
is read again from the disk; garbage, whose collection runs code of pinner, is collected at fixed
places; and inputs are chosen without libFuzzer's entropic schedule, whose choices were found to
differ from run to run. The time can only end it sooner.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import os
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from fuzz.long import run as run_long
from fuzz.running import Running, seen
from fuzz.target import failure_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzz.target import Target

_EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*([0-9]+)")
_NEW: Final = re.compile(r"stat::new_units_added:\s*([0-9]+)")
_EDGES: Final = re.compile(r"\bcov: ([0-9]+)")
_SHARE_OF_LONG: Final = 8  # of the time; what they find, they find soon
_LONG_INPUTS: Final = 100  # of a steady run
_COLLECTED: Final = 100  # inputs between two collections of garbage in a steady run
_STEADY: Final = ("-seed=1", "-shuffle=0", "-reload=0", "-entropic=0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the log of a run says.

    Attributes:
        executed: inputs that were run.
        edges: of pinner's code that they reach, as libFuzzer counts.
        new: inputs that were kept since they reached something new.
        ended: whether the run came to its end.
    """

    executed: int
    edges: int
    new: int
    ended: bool


def read_log(text: str) -> Told:
    """What libFuzzer said."""
    executed, new = _EXECUTED.search(text), _NEW.search(text)
    edges = _EDGES.findall(text)
    return Told(
        executed=int(executed[1]) if executed else 0,
        edges=int(edges[-1]) if edges else 0,
        new=int(new[1]) if new else 0,
        ended=executed is not None,
    )


def failures(folder: Path) -> dict[str, bytes]:
    """The failures that were found, by name, each with its smallest input."""
    found: dict[str, bytes] = {}
    for named in sorted(folder.glob("failures/*.name")):
        data = named.with_suffix("").read_bytes()
        name = named.read_text(encoding="utf-8")
        if name not in found or len(data) < len(found[name]):
            found[name] = data
    return found


def keep(folder: Path, name: str, data: bytes) -> None:
    """Store the input of a failure, if it is the first or the smallest of its name."""
    path = folder / "failures" / hashlib.sha256(name.encode()).hexdigest()[:16]
    if not path.exists() or len(data) < path.stat().st_size:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_suffix(".name").write_text(name, encoding="utf-8")


def run(target: Target, folder: Path, seconds: int, inputs: int) -> None:
    """Fuzz until the time is over, or so many inputs were run (0: no such limit); never returns."""
    atheris = _atheris()
    running = Running.limited(folder)

    if inputs:
        gc.disable()

    def one_input(data: bytes) -> None:
        if inputs and running.executed % _COLLECTED == 0:
            gc.collect()
        with running.input(data):
            name = failure_of(target, data)
        if name:
            keep(folder, name, data)

    begun = time.monotonic()
    _run_long_apart(target, folder, running, seconds // _SHARE_OF_LONG, inputs)
    left = max(1, seconds - round(time.monotonic() - begun))
    atheris.Setup([sys.argv[0], *_arguments(target, folder, left, inputs)], one_input)
    atheris.Fuzz()


def _run_long_apart(
    target: Target, folder: Path, running: Running, seconds: int, inputs: int
) -> None:
    """Long inputs, in a process of their own: what follows does not depend on how many there were.

    (What pinner keeps in memory for later is reached by other branches the second time.)
    """
    child = os.fork()
    if not child:
        run_long(
            target,
            seconds,
            lambda name, data: keep(folder, name, data),
            Random(0),
            most=_LONG_INPUTS if inputs else sys.maxsize,
            around=running.input,
        )
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        keep(folder, ended(os.waitstatus_to_exitcode(status)), seen(folder).last)


def ended(status: int) -> str:
    """The name of the failure that an input is by which a process came to such an end."""
    if status == -signal.SIGVTALRM:
        return "Hang in C"
    return f"the process ended with {signal.Signals(-status).name if status < 0 else status}"


def _arguments(target: Target, folder: Path, seconds: int, inputs: int) -> Iterator[str]:
    corpus = folder / "corpus"
    yield str(corpus)
    yield f"-max_total_time={seconds}"
    yield f"-max_len={target.longest}"
    # Our own limits are of processor time and of memory, and come with the input (`running`).
    yield from ("-timeout=86400", "-rss_limit_mb=0", "-detect_leaks=0", "-print_final_stats=1")
    yield f"-artifact_prefix={folder}/stopped-"
    if target.tokens:
        dictionary = folder / "dictionary"
        dictionary.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
        yield f"-dict={dictionary}"
    if inputs:
        listed = folder / "seeds"
        listed.write_text(",".join(sorted(map(str, corpus.iterdir()))))
        yield from (*_STEADY, f"-runs={inputs}", f"-seed_inputs=@{listed}")


def _atheris() -> Any:
    """The engine, which is installed only where it can be."""
    return importlib.import_module("atheris")


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


def main(name: str, folder: str, seconds: str, inputs: str) -> None:
    """Run one target."""
    with _atheris().instrument_imports(include=["pinner"], enable_loader_override=False):
        from fuzz.table import BY_NAME  # noqa: PLC0415 - imported to be instrumented
    run(BY_NAME[name], Path(folder), int(seconds), int(inputs))


if __name__ == "__main__":
    main(*sys.argv[1:])
