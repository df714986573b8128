"""Every call to the file system of a small run: a death in its place, and every error it can meet.

After each, the exit code is a documented one, the message names what failed, nothing is torn, and
the next run comes to what a faultless one comes to.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Final

from campaign.arena import Tally, arena
from campaign.tracing import READING, injected, targets, traced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from campaign.arena import Arena
    from campaign.tracing import Target

KILL: Final = "KILL"
ERRORS: Final = ("ENOSPC", "EDQUOT", "EIO", "EINTR")
AT_OPENING: Final = ("EMFILE",)
_TO_READERS: Final = ("EIO", "EINTR")
_LOOKING: Final = "newfstatat"
_CAUSES: Final = {
    "ENOSPC": "no space left",
    "EDQUOT": "quota",
    "EIO": "input/output error",
    "EMFILE": "too many open files",
    "EINTR": "interrupted system call",
}
_RANDOM: Final = re.compile(r"[0-9a-f]{8,}(?:-[0-9a-f-]+)?")


def sweep(
    folder: Path,
    command: str,
    *,
    faults: Sequence[str] = (KILL, *ERRORS, *AT_OPENING),
    every: int = 1,
    first: int = 0,
) -> Tally:
    """Let each of a run's calls meet each fault that it can meet, or every n-th from the first."""
    tally = Tally()
    with arena(folder) as here:
        here.begin(command)
        calls = traced(here, command)
        here.whole()
        tally.counts["calls"] += 0 if first else len(calls)
        cases = list(_cases(targets(calls), faults))
        for target, fault in cases[first::every]:
            here.begin(command)
            with tally.judging(_label(here, command, target, fault)):
                _meet(here, command, target, fault, tally)
    return tally


def _cases(found: Sequence[Target], faults: Sequence[str]) -> Iterator[tuple[Target, str]]:
    """A death between two calls that change nothing is one death: it is tried at changes alone."""
    locked = {target.call.place for target in found if target.call.kind == "flock"}
    for target in found:
        kind = target.call.kind
        if kind == "close" and target.call.place in locked:
            continue  # strace keeps the call from the kernel, which then would not free the lock
        for fault in faults:
            if fault in AT_OPENING and kind != "openat":
                continue
            if kind in READING and kind != "flock" and fault not in _TO_READERS:
                continue
            if kind == _LOOKING and fault != "EIO":
                continue
            yield target, fault


def _meet(here: Arena, command: str, target: Target, fault: str, tally: Tally) -> None:
    what = "signal=KILL" if fault == KILL else f"error={fault}"
    code, calls, err = injected(here, command, target, what)
    tally.counts["runs"] += 1
    landed = code == -signal.SIGKILL if fault == KILL else any(call.injected for call in calls)
    if not landed:
        tally.counts[f"{fault}: the call did not come"] += 1
        assert code == 0, f"exit {code}: {err}"
    elif fault == KILL:
        tally.counts[f"{fault}: landed"] += 1
        tally.counts["runs that left a temporary file"] += bool(here.litter())
    else:
        tally.counts[f"{fault}: landed"] += 1
        tally.counts[f"{fault}: exit {code}"] += 1
        _assert_said(here, target, fault, code, err)
    here.assert_whole(command)
    here.assert_converges(command)


def _assert_said(here: Arena, target: Target, fault: str, code: int, err: str) -> None:
    """Assert that a run that met an error says so, by its documented code and in words."""
    shown = f"exit {code}: {err}"
    assert "Traceback" not in err, shown
    if code == 0:
        return
    inputs = (str(here.ground.spec), str(here.ground.lockfile))
    is_input = target.call.place.startswith(str(here.ground.project))
    allowed = {5, 2} if is_input else {5}
    assert code in allowed, shown
    assert _CAUSES[fault] in err.lower(), shown
    roots = (here.ground.store, here.ground.project)
    named = [*map(str, roots), *(name.rpartition("/")[2] for name in inputs)]
    assert any(name in err for name in named), f"names no path: {shown}"


def _label(here: Arena, command: str, target: Target, fault: str) -> str:
    """Which call of which command met what, without what differs from run to run."""
    place = target.call.place.replace(f"{here.ground.folder}/", "")
    return f"{command}: {fault} at {target.call.kind} of {_RANDOM.sub('…', place)}"
