"""Fuzzing by coverage: one target in one process, with atheris (libFuzzer), where it is installed.

    python -m fuzz.guided TARGET FOLDER SECONDS

Long inputs come first (`long`), for an eighth of the time; they are not among those counted.
libFuzzer ends the process, so what was found stands in files: FOLDER/corpus holds the inputs that
reach something new, FOLDER/failures one input for each failure, FOLDER/log what libFuzzer said. A
failure does not end the run: others may hide behind it.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from fuzz.long import run as run_long
from fuzz.target import failure_of

if TYPE_CHECKING:
    from fuzz.target import Target

_EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*([0-9]+)")
_NEW: Final = re.compile(r"stat::new_units_added:\s*([0-9]+)")
_EDGES: Final = re.compile(r"\bcov: ([0-9]+)")
_SHARE_OF_LONG: Final = 8  # of the time; what they find, they find soon
_WALL_SECONDS: Final = 60  # for an input that hangs in C, where no deadline of ours is seen


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


def run(target: Target, folder: Path, seconds: int) -> None:
    """Fuzz until the time is over; never returns."""
    atheris = _atheris()

    def one_input(data: bytes) -> None:
        name = failure_of(target, data)
        if name:
            keep(folder, name, data)

    spent = seconds // _SHARE_OF_LONG
    run_long(target, spent, lambda name, data: keep(folder, name, data), Random(0))
    corpus = folder / "corpus"
    dictionary = folder / "dictionary"
    dictionary.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
    arguments = [
        sys.argv[0],
        str(corpus),
        f"-max_total_time={seconds - spent}",
        f"-max_len={target.longest}",
        f"-timeout={_WALL_SECONDS}",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={folder}/stopped-",
        "-print_final_stats=1",
        *([f"-dict={dictionary}"] if target.tokens else []),
    ]
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


def _atheris() -> Any:
    """The engine, which is installed only where it can be."""
    return importlib.import_module("atheris")


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


def main(name: str, folder: str, seconds: str) -> None:
    """Run one target."""
    with _atheris().instrument_imports(include=["pinner"], enable_loader_override=False):
        from fuzz.table import BY_NAME  # noqa: PLC0415 - imported to be instrumented
    run(BY_NAME[name], Path(folder), int(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
