"""Every key, header and array element of a TOML text is found in its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.tomlfiles.scan import MAX_DEPTH, TooDeep, scan

if TYPE_CHECKING:
    from pinner.tomlfiles.layout import Path

TEXT = '''\
# a comment with [brackets] and "quotes
[settings]
platforms = ["linux/amd64",   # one
    # between
    "linux/arm64"]
"quoted key" = 'literal # no comment'
text = """
[images]
not = "a key" \\"""
"""
raw = \'\'\'
[images] # '' \'\'\'
after.dotted . "deep\\u0065r" = 1979-05-27 07:32:00
inline = { a = 1, b.c = [ { d = "}" }, ], "e=" = "=" }

[images.app]
image = "x"

[[row]]
name = "first"
[row.sub]
key = 1
[[row]]
name = "second"
[[row.nested]]
key = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("settings",), 2),
        (("settings", "platforms"), 3),
        (("settings", "platforms", 0), 3),
        (("settings", "platforms", 1), 5),
        (("settings", "quoted key"), 6),
        (("settings", "text"), 7),
        (("settings", "raw"), 11),
        (("settings", "after"), 13),
        (("settings", "after", "dotted"), 13),
        (("settings", "after", "dotted", "deeper"), 13),
        (("settings", "inline", "b", "c", 0, "d"), 14),
        (("settings", "inline", "e="), 14),
        (("images",), 16),
        (("images", "app"), 16),
        (("images", "app", "image"), 17),
        (("row", 0), 19),
        (("row", 0, "name"), 20),
        (("row", 0, "sub", "key"), 22),
        (("row", 1, "name"), 24),
        (("row", 1, "nested", 0, "key"), 26),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_lines(path: Path, line: int, newline: str) -> None:
    layout = scan(TEXT.replace("\n", newline))
    assert path in layout._offsets
    assert layout.line(path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("images", "app", "missing"), 16),
        (("row", 1, "missing", "deeper"), 23),
        (("missing",), 1),
        ((), 1),
    ],
)
def test_a_place_that_is_not_there_has_the_line_of_its_table(path: Path, line: int) -> None:
    assert scan(TEXT).line(path) == line


@pytest.mark.parametrize(
    ("text", "path", "line", "first"),
    [
        pytest.param("a = 1\nb = 2\na = 3\n", ("a",), 3, 1, id="S10 key"),
        pytest.param("[t]\n[u]\n[t]\n", ("t",), 3, 1, id="S10 table"),
        pytest.param("[t]\na = 1\n[t.a]\n", ("t", "a"), 3, 2, id="S10 key, then table"),
        pytest.param("x = { a = 1,\na = 2 }\n", ("x", "a"), 2, 1, id="S10 inline"),
        pytest.param("[[t]]\na = 1\n[[t]]\na = 1\na = 2\n", ("t", 1, "a"), 5, 4, id="S10 row"),
    ],
)
def test_duplicates(text: str, path: Path, line: int, first: int) -> None:
    duplicate = scan(text).duplicate
    assert duplicate is not None
    assert (duplicate.path, duplicate.line, duplicate.first_line) == (path, line, first)


@pytest.mark.parametrize(
    "text",
    [
        "[images.app]\n[images]\n",
        "a.b = 1\na.c = 2\n",
        "[[t]]\na = 1\n[[t]]\na = 1\n",
        'x = [{ a = 1 }, { a = 2 }]\n"a" = 1\n',
    ],
)
def test_no_duplicates(text: str) -> None:
    assert scan(text).duplicate is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("\nx = " + "[" * 100_000, 2, id="S06 brackets"),
        pytest.param("x = " + "{ a = " * 100_000, 1, id="S06 braces"),
        pytest.param("\n\n" + "a." * 20_000 + "b = 1\n", 3, id="S07 dotted key"),
        pytest.param("[" + "a." * 20_000 + "b]\n", 1, id="S07 header"),
        pytest.param("[" + "a." * 15 + "a]\nb.c = 1\n", 2, id="S07 key in a deep table"),
    ],
)
def test_too_deep(text: str, line: int) -> None:
    with pytest.raises(TooDeep) as refused:
        scan(text)
    assert refused.value.line == line


def test_as_deep_as_may_be() -> None:
    parts = ["a"] * MAX_DEPTH
    assert tuple(parts) in scan(f"{'.'.join(parts)} = 1\n")._offsets


@pytest.mark.parametrize("text", ["a = ", "[a", "a", "= 1", '"a', "a = {b}", '"\\x" = 1'])
def test_what_is_no_toml_ends_the_layout(text: str) -> None:
    layout = scan("first = 1\n" + text)
    assert layout.line(("first",)) == 1
    assert [statement.path for statement in layout.statements] == [("first",)]


def test_statements_span_what_they_say() -> None:
    text = '# c\n  [a] # c\nb = """x\n""" # c\n'
    spans = [text[statement.start : statement.end] for statement in scan(text).statements]
    assert spans == ["[a]", 'b = """x\n"""']
