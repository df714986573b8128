"""The shell: where options stand, how every ending becomes an exit code, and what help shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import pinner

if TYPE_CHECKING:
    from pathlib import Path

Shell = Any
Program = Any


def test_a_result_goes_to_stdout_and_notes_to_stderr(shell: Shell) -> None:
    ran = shell("greet", "you")
    assert (ran.code, ran.out, ran.err) == (0, "hello you → …\n", "a note\nwarning: a warning\n")


@pytest.mark.parametrize("argv", [("-q", "greet"), ("greet", "-q"), ("greet", "--quiet")])
def test_quiet_leaves_the_result_alone(shell: Shell, argv: tuple[str, ...]) -> None:
    ran = shell(*argv)
    assert (ran.out, ran.err) == ("hello  → …\n", "")


@pytest.mark.parametrize("argv", [("--json", "greet", "you"), ("greet", "--json", "you")])
def test_json_is_one_document_wherever_the_option_stands(
    shell: Shell, argv: tuple[str, ...], tmp_path: Path
) -> None:
    ran = shell(*argv)
    assert json.loads(ran.out) == {
        "schema": 1,
        "command": "greet",
        "names": ["you"],
        "platforms": [],
        "store": None,
        "folder": str(tmp_path),
    }


@pytest.mark.parametrize("place", ["before", "behind"])
def test_directory_moves_the_run(shell: Shell, tmp_path: Path, place: str) -> None:
    (tmp_path / "sub").mkdir()
    option = ("--directory", "sub")
    argv = (*option, "greet", "--json") if place == "before" else ("greet", "--json", *option)
    assert json.loads(shell(*argv).out)["folder"] == str(tmp_path / "sub")


def test_a_folder_that_is_gone_is_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    os.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    ran = shell("greet", "-q")
    assert (ran.code, ran.err) == (2, "error: the folder that this was started in is gone\n")


def test_platforms_are_parsed(shell: Shell) -> None:
    ran = shell("greet", "--json", "--platform", "linux/x86_64", "--platform", "linux/arm/v7")
    assert json.loads(ran.out)["platforms"] == ["linux/amd64", "linux/arm/v7"]


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (("nope",), "no such command 'nope'"),
        (("greet", "--nope"), "no such option '--nope'"),
        (("greet", "--platform", "linux/amd64/v8/x"), "invalid value for '--platform'"),
        (("greet", "--store"), "option '--store' requires an argument"),
        (("fail",), "missing argument 'HOW'"),
        (("--json",), "missing command"),
    ],
)
def test_wrong_usage_is_told_in_two_lines(shell: Shell, argv: tuple[str, ...], what: str) -> None:
    ran = shell(*argv)
    assert ran.code == 2
    if "--json" in argv:
        assert json.loads(ran.out)["error"]["what"] == what
        return
    head, mend = ran.err.splitlines()
    assert head.startswith(f"error: {what}")
    says_how = "--platform" in argv
    assert mend.startswith("  write it like" if says_how else "  run `pinner")
    assert ran.out == ""


def test_a_near_miss_is_named(shell: Shell) -> None:
    assert "'--json'" in shell("greet", "--jsno").err
    assert "'greet'" in shell("gret").err


@pytest.mark.parametrize(
    ("argv", "code", "err"),
    [
        (("no",), 1, "error: images.lock: nothing is as it was\n  run `pinner lock`\n"),
        (("store",), 5, "error: the disk is full\n"),
        (("reported",), 5, "error: one is bad\nerror: another is worse\n"),
        (("interrupted",), 130, "interrupted\n"),
        (("lines",), 2, "error: a\\nerror: forged \\x1b[2J\n"),
    ],
)
def test_errors_become_lines_and_codes(
    shell: Shell, argv: tuple[str, ...], code: int, err: str
) -> None:
    ran = shell("fail", *argv)
    assert (ran.code, ran.err) == (code, err)


def test_a_file_with_problems_is_told_whole(shell: Shell) -> None:
    assert shell("problems").err.splitlines() == [
        "error: images.toml:3: is wrong",
        "error: images.toml:7: is wrong",
        "2 problems in images.toml; images.lock was not touched",
    ]


def test_a_bug_is_one_line_and_its_secrets_stay_inside(shell: Shell) -> None:
    ran = shell("fail", "bug\nnext line")
    assert ran.code == 70
    assert ran.err == (
        "error: unexpected ValueError: GET https://***@r.example/?*** bug\\nnext line\n"
        "  this is a bug in pinner; `--debug` shows where\n"
    )


@pytest.mark.parametrize("how", ["option", "variable"])
def test_debug_shows_where_without_secrets(shell: Shell, how: str) -> None:
    ran = (
        shell("fail", "bug", "--debug")
        if how == "option"
        else shell("fail", "bug", PINNER_DEBUG="1")
    )
    assert "Traceback" in ran.err
    assert "plugged.py" in ran.err
    assert "s3cr3t@" not in ran.err
    assert "sig=s3cr3t: bug" not in ran.err


@pytest.mark.parametrize(
    ("argv", "code", "error"),
    [
        (("fail", "no"), 1, "no"),
        (("fail", "store"), 5, "store"),
        (("fail", "interrupted"), 130, "interrupted"),
        (("fail", "bug"), 70, "internal"),
        (("problems",), 2, "file"),
        (("greet", "--nope"), 2, "usage"),
        (("nope",), 2, "usage"),
        (("greet", "--directory", "nowhere"), 2, "input"),
    ],
)
def test_O08_every_failure_is_a_json_document(
    shell: Shell, argv: tuple[str, ...], code: int, error: str
) -> None:
    ran = shell(*argv, "--json")
    document = json.loads(ran.out)
    assert ran.code == code
    assert document["error"]["code"] == error
    assert set(document["error"]) >= {"code", "what", "where", "mend"}
    assert document["command"] == (argv[0] if argv[0] != "nope" else "")
    assert "error" not in ran.err


def test_no_arguments_show_help_as_wrong_usage(shell: Shell) -> None:
    ran = shell()
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("Usage: pinner [OPTIONS] COMMAND")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_groups_the_commands(shell: Shell, option: str) -> None:
    ran = shell(option)
    assert ran.code == 0
    assert "\nPlugged:\n  greet     Greet everybody.\n" in ran.out
    assert "\nGlobal options:\n  --directory DIR" in ran.out


def test_help_of_a_command_parts_its_own_options_from_the_global_ones(shell: Shell) -> None:
    text = shell("greet", "-h").out
    assert text.index("\nOptions:\n") < text.index("--platform") < text.index("\nGlobal options:\n")
    assert text.index("\nGlobal options:\n") < text.index("--json")


def test_the_version_is_one_line(shell: Shell) -> None:
    assert shell("--version").out == f"pinner {pinner.__version__}\n"


def test_H27_sigterm_ends_the_run_with_one_line(program: Program) -> None:
    process = program("wait")
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (143, "", "terminated\n")


def test_H27_ctrl_c_ends_the_run_with_one_line(program: Program) -> None:
    process = program("wait")
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


HEAVY = {"httpx", "httpcore", "rich", "rich_click", "tomlkit", "packaging", "platformdirs", "ssl"}


@pytest.mark.parametrize("module", ["pinner.cli", "pinner.cli.main", "pinner.cli.lazy"])
def test_the_shell_imports_nothing_heavy(module: str) -> None:
    program = f"import sys; before = set(sys.modules); import {module};"
    program += "print(*set(sys.modules) - before)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert module in loaded
    assert not HEAVY & set(loaded)


def test_commands_are_not_imported_before_they_are_asked_for() -> None:
    program = (
        "import sys; from pinner.cli.main import run; run(['completion', 'bash', '-q']);"
        "print(*[name for name in sys.modules if name.startswith('pinner.')], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = ran.stderr.split()
    assert "pinner.cli.completion" in loaded
    assert not {"pinner.cli.lock", "pinner.cli.sync", "pinner.store", "pinner.spec"} & set(loaded)
