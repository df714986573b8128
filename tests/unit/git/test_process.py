from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError
from pinner.git.process import Git
from support.gitrepos import environment

if TYPE_CHECKING:
    from pathlib import Path


def stub(folder: Path, script: str) -> dict[str, str]:
    """An environment in which this script is git."""
    program = folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return environment(PATH=f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_no_git(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        Git(folder=tmp_path, environ={"PATH": str(tmp_path)}).run("version")
    assert caught.value.what == "git is not installed"


def test_a_git_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="git cannot be started: No such file"):
        Git(folder=tmp_path / "gone", environ=environment()).run("version")


def test_output_is_bounded(tmp_path: Path) -> None:
    git = Git(folder=tmp_path, environ=stub(tmp_path, "exec yes"))
    with pytest.raises(InputError, match="git printed more than 1000 bytes"):
        git.run("x", limit=1000)


def test_complaints_are_bounded(tmp_path: Path) -> None:
    git = Git(folder=tmp_path, environ=stub(tmp_path, "yes | head -c 1000000 >&2"))
    assert len(git.run("x").errors) <= 64 * 1024


def test_a_git_that_hangs_is_killed(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > '{tmp_path}/child'; wait"
    ticks = itertools.count(step=0.4)
    git = Git(
        folder=tmp_path,
        environ=stub(tmp_path, script),
        timeout=1.0,
        monotonic=lambda: next(ticks),
    )
    with pytest.raises(InputError, match="git did not end within 1 s"):
        git.run("x")


def test_what_it_reads_and_how_it_ends(tmp_path: Path) -> None:
    git = Git(folder=tmp_path, environ=stub(tmp_path, "cat; echo no >&2; exit 3"))
    finished = git.run("x", stdin=b"given")
    assert (finished.status, finished.output, finished.reason) == (3, b"given", "no")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LC_ALL", "C"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "kept"),
        ("GIT_CONFIG_VALUE_0", "kept"),
        ("GIT_DIR", ""),
        ("GIT_INDEX_FILE", ""),
        ("GIT_EDITOR", ""),
        ("GIT_SSH_COMMAND", ""),
        ("GIT_EXTERNAL_DIFF", ""),
        ("GIT_AUTHOR_DATE", ""),
        ("GIT_TRACE", ""),
        ("LANGUAGE", ""),
        ("OTHER", "kept"),
    ],
)
def test_the_environment(tmp_path: Path, name: str, value: str) -> None:
    environ = stub(tmp_path, f'printf %s "${{{name}-}}"') | {name: "kept"}
    assert Git(folder=tmp_path, environ=environ).line("x") == value


def test_a_reason_is_one_safe_line(tmp_path: Path) -> None:
    script = "printf 'hint: x\\nfatal: bad \\033[31m\\nmore\\n' >&2; exit 1"
    finished = Git(folder=tmp_path, environ=stub(tmp_path, script)).run("x")
    assert finished.reason == r"bad \x1b[31m"
