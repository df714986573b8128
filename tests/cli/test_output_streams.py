"""Standard streams that end early, are full, are closed, or know only ASCII."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Program = Any


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_H28_a_reader_that_leaves_early_is_no_error(program: Program, unbuffered: str) -> None:
    process = program("count", environ={"PYTHONUNBUFFERED": unbuffered})
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    with process.stderr as err:
        assert err.read() == ""
    assert process.wait(timeout=120) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("argv", [("greet",), ("count",), ("--help",), ("greet", "--json")])
def test_O06_a_full_disk_behind_stdout_is_one_line(program: Program, argv: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        process = program("-q", *argv, stdout=full)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 5
    assert err == "error: standard output cannot be written: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_O06_not_even_the_version_is_lost_in_silence() -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "pinner", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.returncode == 5
    assert ran.stderr == "error: standard output cannot be written: No space left on device\n"


def test_the_program_ends_with_the_code_of_the_run() -> None:
    codes = [
        subprocess.run([sys.executable, "-m", "pinner", *argv], capture_output=True, check=False)
        for argv in (["--version"], ["--help"], ["nope"])
    ]
    assert [ran.returncode for ran in codes] == [0, 0, 2]


def test_a_closed_stderr_changes_nothing(program: Program) -> None:
    closed = {"stdout": subprocess.DEVNULL, "stderr": None, "preexec_fn": lambda: os.close(2)}
    process = program("fail", "no", **closed)
    assert process.wait(timeout=120) == 1


def test_a_closed_stdout_swallows_the_result(program: Program) -> None:
    process = program("-q", "greet", stdout=None, preexec_fn=lambda: os.close(1))
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")


LOCALE_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("environ", "name", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "débian", "d\\xe9bian"),
        (LOCALE_C, "debian", "debian"),
        (LOCALE_C, "débian", "d\\udcc3\\udca9bian"),
    ],
)
def test_O05_ascii_streams_get_a_likeness(
    program: Program, environ: dict[str, str], name: str, shown: str
) -> None:
    process = program("greet", name, environ=environ)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out == f"hello {shown} -> ...\n"


def test_O04_colour_needs_a_terminal(program: Program) -> None:
    process = program("fail", "no", environ={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert "\x1b" not in process.communicate(timeout=120)[1]


class Terminal:
    """A pseudo terminal as the three streams of a program."""

    def __init__(self) -> None:
        self.ours, self.theirs = os.openpty()

    def text(self, process: subprocess.Popen[str]) -> str:
        os.close(self.theirs)
        data = bytearray()
        while True:
            try:
                piece = os.read(self.ours, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not piece:
                break
            data += piece
        process.wait(timeout=120)
        os.close(self.ours)
        return data.decode()


@pytest.mark.parametrize(
    ("environ", "label"),
    [
        ({"TERM": "xterm"}, "\x1b[1;31merror\x1b[0m: "),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "error: "),
        ({"TERM": "xterm", "NO_COLOR": ""}, "\x1b[1;31merror\x1b[0m: "),
        ({"TERM": "dumb"}, "error: "),
    ],
)
def test_O04_a_terminal_gets_colour_unless_it_declines(
    program: Program, environ: dict[str, str], label: str
) -> None:
    terminal = Terminal()
    process = program(
        "fail", "store", environ=environ, stdout=terminal.theirs, stderr=terminal.theirs
    )
    assert terminal.text(process) == f"{label}the disk is full\r\n"


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_help_in_a_terminal_is_the_same_help(
    program: Program, environ: dict[str, str], *, coloured: bool
) -> None:
    terminal = Terminal()
    process = program("--help", environ=environ, stdout=terminal.theirs, stderr=terminal.theirs)
    text = terminal.text(process)
    assert ("\x1b[" in text) is coloured
    assert "Greet everybody." in text
    assert text.count("--directory") == 1
    assert text.index("Plugged") < text.index("Options:") < text.index("Global options:")
