"""What a fuzz target is: bytes go in, and nothing but what is documented comes out.

    target.run(data)      returns, or raises what is wrong: a crash, a hang, a broken promise

Nothing here knows which engine makes the bytes: `guided` (atheris, by coverage), `blind`
(hypothesis), or tests/test_fuzz.py, which runs both the corpus and a few made-up inputs.
"""

from __future__ import annotations

import contextlib
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinner.errors import FileProblems, PinnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

DEADLINE: Final = 5.0
"""Seconds of processor time for one input; honest ones of these sizes take milliseconds."""
_LINE_LIMIT: Final = 10_000  # 500 characters, all of them shown as escapes
_HERE: Final = Path(__file__).parents[2]


class Hang(BaseException):
    """An input took longer than the deadline; no `except Exception` on the way swallows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One entrance for foreign bytes.

    Attributes:
        name: of its folders and its row.
        about: what is read, and what must hold, in half a line.
        run: raises where something is wrong; what pinner documents to raise is caught within.
        seeds: inputs to begin with, from fixtures of other tests.
        tokens: pieces that such inputs are made of.
        longest: bytes of an input; the engines make none that are longer.
        steady: how many inputs are run in CI, about a minute's on a quiet machine; 0: not there.
    """

    name: str
    about: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    tokens: tuple[bytes, ...] = ()
    longest: int = 4096
    steady: int = 0

    def check(self, data: bytes, *, deadline: float = DEADLINE) -> None:
        """Run one input, within the deadline.

        Raises:
            Hang: it took longer.
            Exception: whatever `run` raises.
        """
        with _limited(deadline):
            self.run(data)


def failure_of(target: Target, data: bytes, *, deadline: float = DEADLINE) -> str:
    """Which failure an input is, so that the same one is known again; empty for none."""
    try:
        target.check(data, deadline=deadline)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        return name_of(error)
    return ""


def name_of(error: BaseException) -> str:
    """A failure's kind and place, `AssertionError at tests/fuzz/targets/oci.py:31`.

    The place is the last frame that is ours. Of a hang it is nothing: where it is stopped differs.
    """
    if isinstance(error, Hang):
        return "Hang"
    kind = type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        ours = path.is_relative_to(_HERE) and ".venv" not in path.parts
        if ours and path != Path(__file__):
            return f"{kind} at {path.relative_to(_HERE)}:{frame.lineno}"
    return kind


@contextlib.contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """Where these are raised, they are the documented answer; what they say can be printed."""
    refusal: Exception | None = None
    try:
        yield
    except kinds as error:
        refusal = error
    if isinstance(refusal, PinnerError):
        printable(*refusal.mend, refusal.what, refusal.where)
    if isinstance(refusal, FileProblems):
        assert refusal.problems
        printable(*map(str, refusal.problems))
    if refusal is not None:
        printable(*str(refusal).split("\n"))


def printable(*texts: str) -> None:
    """Each can be shown in a terminal, and is no flood."""
    for text in texts:
        assert text.isprintable(), f"not printable: {text!r}"
        assert len(text) < _LINE_LIMIT, f"{len(text)} characters: {text[:80]!r}…"


def spliced(data: bytes, choices: int) -> tuple[int, bytes]:
    """A choice by the first byte, and the rest."""
    return (data[0] % choices, data[1:]) if data else (0, b"")


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """`Hang` after so much processor time; of this process, so that a busy machine is no hang."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
