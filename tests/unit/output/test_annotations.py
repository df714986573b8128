"""O09: nothing foreign becomes a command to GitHub's runner, and what is ours reaches it whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pinner.check import CheckResult
from pinner.errors import InputError
from pinner.files.model import Place, PlannedFile, Status, Tree
from pinner.output.annotations import render_annotations, tamed, wanted


def result(why: str = "is not pinned", *, file: str = "Dockerfile", lenient: bool = False) -> str:
    place = Place(
        file=file, line=3, text="x", status=Status.UNKNOWN, why=why, mend="run `pinner rewrite`"
    )
    planned = PlannedFile(
        path=Path("/work") / file,
        shown=file,
        kind="dockerfile",
        before=b"",
        after=b"",
        places=(place,),
    )
    tree = Tree(files=(planned,), problems=(), looked_at=1)
    found = CheckResult(tree=tree, stale=(), lenient=lenient)
    return render_annotations(found, (), "/work/images.lock", {"GITHUB_WORKSPACE": "/work"})


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """As the runner does: ActionCommand.TryParseV2 and its escape tables (actions/runner)."""
    found = re.fullmatch(r"::([a-z]+)(?: ([^:]*))?::(.*)", line)
    assert found, line

    def unescaped(text: str, *more: tuple[str, str]) -> str:
        for code, character in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
            text = text.replace(code, character)
        return text

    pairs = dict(pair.split("=", 1) for pair in (found[2] or "").split(",") if pair)
    properties = {key: unescaped(value, ("%3A", ":"), ("%2C", ",")) for key, value in pairs.items()}
    return found[1], properties, unescaped(found[3])


def test_the_runner_reads_what_was_meant() -> None:
    assert parsed(result().rstrip("\n")) == (
        "error",
        {"file": "Dockerfile", "line": "3"},
        "is not pinned: run `pinner rewrite`",
    )


def test_what_passes_is_a_warning() -> None:
    assert result(lenient=True).startswith("::warning ")


@pytest.mark.parametrize(
    "foreign", ["100%0A::error::x", "a\n::stop-commands::x", "a\r\n::error::x", "%25", "::x::y"]
)
def test_O09_a_message_stays_one_command(foreign: str) -> None:
    (line,) = result(foreign).splitlines()
    kind, _, message = parsed(line)
    assert (kind, message) == ("error", f"{foreign}: run `pinner rewrite`")


@pytest.mark.parametrize("foreign", ["a,line=9", "a::error::x", "a:b", "a%2Cb", "a\nb"])
def test_O09_a_name_of_a_file_stays_one_property(foreign: str) -> None:
    (line,) = result(file=foreign).splitlines()
    assert parsed(line)[1] == {"file": foreign, "line": "3"}


@pytest.mark.parametrize("foreign", ["##[error]x", "x ##[add-mask]y"])
def test_O09_the_old_form_of_commands_is_broken_up(foreign: str) -> None:
    assert "##[" not in result(foreign)
    assert "##[" not in result(file=foreign)
    assert "##[" not in tamed(foreign)


@pytest.mark.parametrize("line", ["::error::x", "  ::add-mask::a", "\t::x::"])
def test_O09_a_line_that_begins_as_a_command_does_not_any_more(line: str) -> None:
    assert tamed(f"fine\n{line}\nfine\n").splitlines()[1].startswith("./::")


def test_other_lines_stay() -> None:
    text = "a::b: c\nDockerfile:1: x\n"
    assert tamed(text) == text


def test_a_file_that_cannot_be_read_is_told() -> None:
    tree = Tree(files=(), problems=(InputError("is too large", where="a\nb"),), looked_at=0)
    found = render_annotations(CheckResult(tree=tree, stale=()), (), "/images.lock", {})
    assert found == "::error::a%0Ab: is too large\n"


@pytest.mark.parametrize(
    ("environ", "answer"),
    [({}, False), ({"GITHUB_ACTIONS": "true"}, True), ({"GITHUB_ACTIONS": "false"}, False)],
)
def test_only_for_the_runner(environ: dict[str, str], *, answer: bool) -> None:
    assert wanted(environ) is answer
