"""What is written is read again, by both readers alike, and nothing else breaks them."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import FileProblems
from pinner.lockfile import Lock, dumps, loads
from pinner.lockfile.canonical import read_canonical
from pinner.lockfile.direct import read_direct
from support.projects import locks
from support.tables import FIXTURES

WRITTEN = (FIXTURES / "locks/good/all-platforms.lock").read_text()
pieces = st.sampled_from(
    ['"', "\\", "\n", "\r\n", " ", "#", "=", "1", "[", "]", "[[image]]\n", "x", "\x00", "é", "true"]
)
edits = st.lists(st.tuples(st.integers(0, len(WRITTEN)), st.integers(0, 3), pieces), max_size=4)


def damaged(changes: list[tuple[int, int, str]]) -> str:
    text = WRITTEN
    for at, removed, put in changes:
        text = text[:at] + put + text[at + removed :]
    return text


@given(locks())
def test_L16_loads_what_dumps_wrote(lock: Lock) -> None:
    text = dumps(lock)
    assert loads(text.encode(), path="images.lock") == lock
    assert loads(text.replace("\n", "\r\n").encode(), path="images.lock") == lock
    assert dumps(loads(text.encode(), path="images.lock")) == text


@given(locks())
def test_the_text_is_plain(lock: Lock) -> None:
    text = dumps(lock)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)


@given(locks())
def test_both_readers_agree_on_what_was_written(lock: Lock) -> None:
    text = dumps(lock)
    assert read_canonical(text) == tomllib.loads(text)


@given(edits)
def test_both_readers_agree_on_what_was_damaged(changes: list[tuple[int, int, str]]) -> None:
    text = damaged(changes)
    values = read_canonical(text)
    if values is not None:
        assert values == tomllib.loads(text)


@given(locks(), edits)
def test_what_is_read_directly_is_what_tables_say(
    lock: Lock, changes: list[tuple[int, int, str]]
) -> None:
    for text in (dumps(lock), damaged(changes)):
        found = read_direct(text)
        if found is not None:
            # With other line ends, no reader but tomllib takes it.
            again = loads(text.replace("\n", "\r\n").encode(), path="images.lock")
            assert (found, found.revision) == (again, again.revision)
    assert read_direct(dumps(lock)) == lock


@given(edits)
def test_a_damaged_file_is_read_or_refused_in_printable_words(
    changes: list[tuple[int, int, str]],
) -> None:
    refused = ""
    try:
        loads(damaged(changes).encode(), path="images.lock")
    except FileProblems as error:
        refused = str(error)
    assert all(character.isprintable() or character == "\n" for character in refused)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        loads(data, path="images.lock")
    except FileProblems as error:
        problems = error.problems
        assert all(problem.where.startswith("images.lock") for problem in problems)
