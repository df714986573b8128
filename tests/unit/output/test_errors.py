"""Failures as people and programs read them."""

from __future__ import annotations

import pytest

from pinner.errors import FileProblems, InputError, NotFound, Problem
from pinner.output.errors import error_fields, render_error

PROBLEMS = FileProblems(
    (
        Problem(
            where="images.toml:9",
            what='images.node: "verson" is not a key of an image',
            mend='did you mean "version"?',
        ),
        Problem(where="images.toml:14", what="images.app.platforms: no platform"),
    )
)


def test_an_error_says_where_what_and_the_mend() -> None:
    error = NotFound("node:99 is gone", where="https://r.example/v2/node", mend=("first", "second"))
    assert render_error(error) == (
        "error: https://r.example/v2/node: node:99 is gone\n  first\n  second\n"
    )


def test_all_problems_of_a_file_are_told_then_counted() -> None:
    assert render_error(PROBLEMS) == (
        'error: images.toml:9: images.node: "verson" is not a key of an image; '
        'did you mean "version"?\n'
        "error: images.toml:14: images.app.platforms: no platform\n"
        "2 problems in images.toml; images.lock was not touched\n"
    )


def test_one_problem_needs_no_count() -> None:
    assert render_error(FileProblems(PROBLEMS.problems[1:])) == (
        "error: images.toml:14: images.app.platforms: no platform\n"
    )


def test_problems_of_another_file_promise_nothing_of_the_lockfile() -> None:
    problems = tuple(Problem(where=f"images.lock:{line}", what="no") for line in (1, 2))
    assert render_error(FileProblems(problems)).endswith("\n2 problems in images.lock\n")


HOSTILE = pytest.mark.parametrize(
    "text",
    [
        pytest.param("a\nerror: forged", id="O02-line-feed"),
        pytest.param("a\r\nb", id="O02-crlf"),
        pytest.param("a\u2028b", id="O01-line-separator"),
        pytest.param("\x1b[2J\x1b]52;c;cGF5bG9hZA==\x07", id="O01-clipboard"),
        pytest.param("\x9b31m", id="O01-c1"),
        pytest.param("x\u202ecod.exe", id="O01-bidi"),
        pytest.param("a\x00b\x08c", id="O01-nul-backspace"),
        pytest.param("\udc93smart\udc94", id="O10-undecodable"),
    ],
)


@HOSTILE
def test_no_part_of_an_error_reaches_the_terminal_raw(text: str) -> None:
    written = render_error(InputError(text, where=text, mend=text))
    assert written.count("\n") == 2
    assert written.replace("\n", "").isprintable()


@HOSTILE
def test_no_part_of_a_problem_reaches_the_terminal_raw(text: str) -> None:
    written = render_error(FileProblems((Problem(where=text, what=text, mend=text),)))
    assert written.count("\n") == 1
    assert written.replace("\n", "").isprintable()


def test_O03_a_long_message_is_cut() -> None:
    written = render_error(InputError("x" * 1_000_000))
    assert len(written) < 2100
    assert "… (+998000)" in written


def test_O08_fields_have_code_what_where_and_mend() -> None:
    error = NotFound("node:99 is gone", where="https://r.example", mend="run it")
    assert error_fields(error) == {
        "code": "not-found",
        "what": "node:99 is gone",
        "where": "https://r.example",
        "mend": ["run it"],
    }


def test_O08_every_problem_of_a_file_is_a_field() -> None:
    assert [problem["where"] for problem in error_fields(PROBLEMS)["problems"]] == [
        "images.toml:9",
        "images.toml:14",
    ]
