"""Commands that end in every way that a command can, plugged into the real shell.

As a program, `python -m support.plugged ARGV…`, it is `pinner` with these commands instead.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

import click

from pinner.cli.main import run
from pinner.cli.options import command, entry_names, platform_option, store_option
from pinner.errors import AnswerNo, FileProblems, InputError, Problem, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.cli.table import Table
    from pinner.oci.platform import Platform

COMMANDS: Final[Table] = {
    "Plugged": {
        name: f"support.plugged:{name}" for name in ("greet", "fail", "count", "wait", "problems")
    }
}


@command
@click.argument("names", nargs=-1, shell_complete=entry_names)
@platform_option
@store_option
def greet(
    session: Session, *, names: tuple[str, ...], platform: tuple[Platform, ...], store: Path | None
) -> int:
    """Greet everybody. This is the second sentence."""
    session.note("a note")
    session.warn("a warning")
    words = {
        "names": list(names),
        "platforms": list(map(str, platform)),
        "store": str(store) if store else None,
        "folder": str(session.project.folder),
    }
    session.answer(f"hello {' '.join(names)} → …\n", words)
    return 0


@command
@click.argument("how")
def fail(session: Session, *, how: str) -> int:
    """Fail."""
    match how:
        case "no":
            raise AnswerNo("nothing is as it was", where="images.lock", mend="run `pinner lock`")
        case "store":
            raise StoreError("the disk is full")
        case "reported":
            session.report([InputError("one is bad"), StoreError("another is worse")])
            session.answer("the rest\n", {"outcome": "failed"})
            return 5
        case "interrupted":
            raise KeyboardInterrupt
        case "lines":
            raise InputError("a\nerror: forged \x1b[2J")
        case _:
            raise ValueError(f"GET https://user:s3cr3t@r.example/?sig=s3cr3t: {how}")


@command
def problems(session: Session) -> int:
    """Find a bad file."""
    raise FileProblems(
        tuple(Problem(where=f"images.toml:{line}", what="is wrong") for line in (3, 7))
    )


@command
def count(session: Session) -> int:
    """Write a lot."""
    session.answer("".join(f"{number}\n" for number in range(1_000_000)), {})
    return 0


@command
def wait(session: Session) -> int:
    """Wait to be ended."""
    session.answer("waiting\n", {})
    time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], table=COMMANDS))
