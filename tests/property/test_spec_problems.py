"""Whatever an images.toml or config.toml holds, it is read or refused with lines, never worse."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import FileProblems
from pinner.spec import parse_spec
from support.tables import FIXTURES

DESIGN = (FIXTURES / "specs/good/design.toml").read_text(encoding="utf-8")
tokens = sorted({*DESIGN.replace(",", " ").split(), "1", "{}", "[]", "''", "\n", "\x1b", "é", "."})
edits = st.lists(
    st.tuples(st.integers(0, len(DESIGN)), st.integers(0, 12), st.sampled_from(tokens)), max_size=4
)


def check(data: bytes) -> None:
    problems: tuple[object, ...] = ()
    try:
        parse_spec(data, path="images.toml", base=Path())
    except FileProblems as error:
        problems = error.problems
    for problem in problems:
        assert str(problem).startswith("images.toml")
        assert str(problem).isprintable()


@given(edits)
def test_a_damaged_spec(changes: list[tuple[int, int, str]]) -> None:
    text = DESIGN
    for at, removed, put in changes:
        text = text[:at] + put + text[at + removed :]
    check(text.encode())


@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(st.text(st.sampled_from("images.settings=[]{}\"'#\n 1,x-\\"), max_size=60))
def test_text_like_toml(text: str) -> None:
    check(text.encode())
