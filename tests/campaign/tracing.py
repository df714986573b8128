"""What strace saw: every call to the file system that concerns the store or the project.

    calls = traced(here, "sync")               # of a run that nothing disturbs
    code = injected(here, "sync", calls[7], "error=EIO")

strace counts the calls of a thread that match a path, so each call is found again by its kind, by
the path or name that it was given, and by how many such calls came before it. A launcher gives the
process random names that are the same in each run, and temporaries names at all: strace does not
find a descriptor without one.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign.arena import COMMANDS, PATIENCE
from support.programs import find, require

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from campaign.arena import Arena

READING: Final = ("read", "pread64", "newfstatat", "getdents64", "close", "flock")
WRITING: Final = (
    *("openat", "write", "pwrite64", "ftruncate", "fchmod", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat"),
)
_LAUNCHER: Final = """\
import os, random
os.urandom = random.Random(1).randbytes
from pinner.fsio import temporary
temporary._open_unnamed = lambda *_: None
from pinner.__main__ import main
main()
"""
_LINE: Final = re.compile(
    r"(?P<begun>[0-9.]+) (?P<kind>[a-z0-9]+)\((?P<given>.*)\) += (?P<answer>-?[0-9]+|\?)"
)
_OPEN: Final = re.compile(r"(?:AT_FDCWD|\b[0-9]+)<(?P<path>(?:\\.|[^>\\])*)>")
_NAME: Final = re.compile(r'"(?P<name>(?:\\.|[^"\\])*)"(?:\.\.\.)?')
_ALL_DATA: Final = str(64 * 1024 * 1024)
_JOBS: Final = ("--jobs", "1")
_TAKES_JOBS: Final = ("sync", "update --fetch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a traced process.

    Attributes:
        begun: seconds since the epoch; calls of all threads are in this order.
        thread: its number in this trace.
        kind: the system call.
        paths: of the descriptors that it was given, and of the one that it returned.
        names: the strings that it was given; of a write, the bytes.
        answer: what it returned; -1 for an error.
        given: all that it was given, as strace writes it.
        injected: whether strace answered in the kernel's place.
    """

    begun: float
    thread: int
    kind: str
    paths: tuple[str, ...]
    names: tuple[str, ...]
    answer: int
    given: str
    injected: bool

    @property
    def place(self) -> str:
        """The file or folder that it is about."""
        if self.kind in {"openat", "mkdirat", "unlinkat", "newfstatat"} and self.names[0]:
            folder = self.paths[0] if self.paths else ""
            return str(Path(folder, self.names[0]))
        if self.kind in {"renameat", "renameat2"}:
            return str(Path(self.paths[1], self.names[1]))
        if self.kind in {"rename", "unlink", "mkdir"}:
            return self.names[-1]
        return self.paths[0]

    def matches(self, path: str) -> bool:
        """Whether strace counts it for `-P path`."""
        return path in self.paths[: self._asked_for()] or (
            self.kind not in {"write", "pwrite64", "read"} and path in self.names
        )

    def _asked_for(self) -> int:
        return len(self.paths) - (self.kind == "openat" and self.answer >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A call, and how strace finds it.

    Attributes:
        path: what `-P` names.
        number: counted from 1, among the calls of this kind that match, in any one thread.
    """

    call: Call
    path: str
    number: int


def traced(here: Arena, command: str) -> list[Call]:
    """The calls of an undisturbed run that concern store, lockfile or spec, in order."""
    code, calls, err = _run(here, command, (*READING, *WRITING), ("-s", _ALL_DATA, "-xx"))
    assert code == 0, err
    return [call for call in calls if call.kind != "close" or call.paths]


def targets(calls: Sequence[Call]) -> list[Target]:
    """How strace finds each of these calls: by the path that fewest others match."""
    found = []
    for position, call in enumerate(calls):
        best = min(
            (_ambiguity(calls, call, path), path)
            for path in {*call.paths, *call.names}
            if path and call.matches(path)
        )[1]
        number = sum(
            other.thread == call.thread and other.kind == call.kind and other.matches(best)
            for other in calls[: position + 1]
        )
        found.append(Target(call=call, path=best, number=number))
    return found


def _ambiguity(calls: Sequence[Call], call: Call, path: str) -> tuple[int, int]:
    """In how many threads, and how often, strace would count calls by this path."""
    alike = [other for other in calls if other.kind == call.kind and other.matches(path)]
    return len({other.thread for other in alike}), len(alike)


def injected(here: Arena, command: str, target: Target, what: str) -> tuple[int, list[Call], str]:
    """Run a command whose `target` meets `what`, as strace's -e inject writes it.

    Returns:
        The exit code (below zero for a signal), the calls that match, and stderr.
    """
    kind = target.call.kind
    where = ("-P", target.path, "-e", f"inject={kind}:{what}:when={target.number}")
    return _run(here, command, (kind,), where)


def _run(
    here: Arena, command: str, kinds: Sequence[str], options: Sequence[str]
) -> tuple[int, list[Call], str]:
    require("strace")
    jobs = _JOBS if command in _TAKES_JOBS else ()
    argv = (sys.executable, "-P", "-c", _LAUNCHER, *COMMANDS[command], *jobs)
    with tempfile.TemporaryDirectory() as folder:
        strace = [find("strace") or "strace", "-ff", "-ttt", "-y", "-q", "-q"]
        if "signal=" not in " ".join(options):  # strace sends none to a process that it filters
            strace.append("--seccomp-bpf")
        kept = ("-e", "signal=none", "-e", f"trace={','.join(kinds)}", "-o", f"{folder}/t")
        running = here.ground.start_program(
            *(*strace, *kept, *options, *argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, err = running.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end after {PATIENCE} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)  # what strace traced outlives it
            running.wait()
        files = sorted(Path(folder).iterdir(), key=lambda file: int(file.suffix[1:]))
        calls = [call for number, file in enumerate(files) for call in _parse(number, file)]
    ours = [call for call in calls if _is_ours(here, call)]
    return running.returncode, sorted(ours, key=lambda call: call.begun), err.decode()


def _is_ours(here: Arena, call: Call) -> bool:
    roots = (str(here.ground.store), str(here.ground.project))
    if call.kind == "close" and not call.paths:
        return False
    try:
        place = call.place
    except IndexError:
        return False
    return place.startswith(roots)


def _parse(thread: int, file: Path) -> Iterator[Call]:
    for line in file.read_text(encoding="latin-1").splitlines():
        found = _LINE.match(line)
        if found is None:
            continue
        returned = line[found.end("answer") :]
        paths = [_plain(one["path"]) for one in _OPEN.finditer(_without_strings(found["given"]))]
        paths += [_plain(one) for one in re.findall(r"^<((?:\\.|[^>\\])*)>", returned)]
        yield Call(
            begun=float(found["begun"]),
            thread=thread,
            kind=found["kind"],
            paths=tuple(paths),
            names=tuple(_plain(one["name"]) for one in _NAME.finditer(found["given"])),
            answer=-1 if found["answer"] == "?" else int(found["answer"]),
            given=_without_strings(found["given"]),
            injected="(INJECTED)" in returned,
        )


def _without_strings(given: str) -> str:
    return _NAME.sub('""', given)


def _plain(text: str) -> str:
    """A string as strace escapes it; bytes as the characters of latin-1."""
    data, _ = codecs.escape_decode(text.encode("latin-1"))
    return str(data.decode("latin-1"))
