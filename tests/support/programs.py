"""Real programs in tests: found or skipped aloud, run in a clean environment, ended for certain."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_POLL = 0.01
_SAID = 2000


class ProgramError(AssertionError):
    """A program failed; the message carries what it wrote to stderr, or else to stdout at last."""


def find(name: str) -> str | None:
    """The program's path; Debian keeps servers in /usr/sbin, which users' PATHs leave out."""
    return shutil.which(name, path=_SEARCHED)


def require(*names: str) -> None:
    """Skip the test, aloud, where a program is missing; fail it with PINNER_REQUIRE_SERVERS=1."""
    missing = ", ".join(name for name in names if find(name) is None)
    if missing:
        unavailable(f"not installed: {missing} (tests/support/install-servers.sh installs it)")


def unavailable(reason: str) -> NoReturn:
    """Skip the test, aloud, for something that this machine lacks; or fail it, as `require`."""
    if os.environ.get("PINNER_REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def clean_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which a program finds nobody's settings or credentials.

    Coverage's own variables stay, so that a pinner that is run as a program is measured.
    """
    measuring = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    return {
        **measuring,
        "PATH": _SEARCHED,
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "LANG": "C.UTF-8",
        **(extra or {}),
    }


def run(
    *argv: str,
    home: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 600,
) -> str:
    """Run a program to its end and return what it wrote to stdout.

    Raises:
        ProgramError: it could not start, took longer than `timeout` seconds, or failed.
    """
    require(argv[0])
    try:
        done = subprocess.run(
            [find(argv[0]) or argv[0], *argv[1:]],
            env=clean_environment(home, environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProgramError(f"{' '.join(argv)}: no end after {timeout} s") from error
    if done.returncode:
        said = done.stderr.strip() or done.stdout[-_SAID:]
        raise ProgramError(f"{' '.join(argv)}: status {done.returncode}\n{said}")
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server in the background; stdout and stderr go to files that can be read meanwhile."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None


@contextlib.contextmanager
def serving(
    *argv: str,
    folder: Path,
    ready: Callable[[Running], bool],
    timeout: float = 600,
) -> Iterator[Running]:
    """Run a server until the block ends; `ready` is polled until it says yes.

    It ends with its process group, and (Linux) with us, should we be killed.

    Raises:
        ProgramError: it ended, or was not ready within `timeout` seconds.
    """
    require(argv[0])
    folder.mkdir(parents=True, exist_ok=True)
    stdout, stderr = folder / "stdout.log", folder / "stderr.log"
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = subprocess.Popen(
            [*_dies_with_us(), find(argv[0]) or argv[0], *argv[1:]],
            env=clean_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    running = Running(process=process, stdout=stdout, stderr=stderr)
    try:
        _await(running, ready, timeout, argv)
        yield running
    finally:
        _end(process)


def _dies_with_us() -> Sequence[str]:
    setpriv = find("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _await(
    running: Running, ready: Callable[[Running], bool], timeout: float, argv: Sequence[str]
) -> None:
    deadline = time.monotonic() + timeout
    while not ready(running):
        if running.ended() or time.monotonic() > deadline:
            state = "ended" if running.ended() else f"was not ready after {timeout} s"
            raise ProgramError(f"{' '.join(argv)} {state}\n{running.stderr.read_text()}")
        time.sleep(_POLL)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, patience in ((signal.SIGTERM, 60), (signal.SIGKILL, 60)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def free_port() -> int:
    """A loopback port that nobody else is given until this process ends.

    What connects to it is refused, unless a server listens there that was told to: it is bound in a
    way that still lets others listen, if they reuse addresses, as servers do.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    holder.detach()  # stays open
    return port


def listens(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
