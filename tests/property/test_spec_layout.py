"""The layout of a TOML text has the place of everything that tomllib reads from it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from pinner.tomlfiles.scan import TooDeep, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.tomlfiles.layout import Path

keys = st.sampled_from(["a", "b-c", '"d.e"', "'f \"'", '"\\u0067"', '""', "1", "a . b", "a.'b'.1"])
atoms = st.sampled_from(
    [
        "1",
        "-1.5e3",
        "true",
        "inf",
        "0x_1",
        "1979-05-27 07:32:00Z",
        '""',
        '"]"',
        '"\\" # ="',
        "''",
        "'\\'",
        '""""a""\n"""""',
        '"""\n[x]\ny = 1\\\n  """',
        "'''''x''\n'''''",
        '"""\\"""\r\n"""',
    ]
)
gaps = st.sampled_from(["", " ", "\n", "\r\n", " # ]}\n", "\t"])


def array(items: list[str], gap: str) -> str:
    return f"[{gap}{f'{gap},{gap}'.join(items)}{gap}]"


def inline(pairs: list[tuple[str, str]]) -> str:
    return f"{{ {', '.join(f'{key} = {value}' for key, value in pairs)} }}"


values = st.recursive(
    atoms,
    lambda inner: (
        st.builds(array, st.lists(inner, max_size=3), gaps)
        | st.lists(st.tuples(keys, inner), max_size=3).map(inline)
    ),
    max_leaves=6,
)
lines = st.one_of(
    st.builds("{} = {}".format, keys, values),
    st.builds("  {}={} # = [".format, keys, values),
    keys.map("[{}]".format),
    keys.map("[[{}]]".format),
    keys.map("[ {} ] # ]".format),
    st.sampled_from(["", "# a = 1", "\t"]),
)
texts = st.builds(
    lambda parts, newline: newline.join(parts),
    st.lists(lines, max_size=8),
    st.sampled_from(["\n", "\r\n"]),
)
fragments = st.lists(
    st.sampled_from([*"ab=.,[]{}\"'#\n\\ 1", '"""', "'''", "[[", "a = 1\n", "\r\n"]), max_size=40
).map("".join)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    match value:
        case dict():
            inner = list(value.items())
        case list():
            inner = list(enumerate(value))
        case _:
            return
    for key, element in inner:
        yield (*path, key)
        yield from places(element, (*path, key))


def check(text: str) -> None:
    try:
        layout = scan(text)
    except TooDeep:
        return
    try:
        document = tomllib.loads(text)
    except ValueError:
        return
    missing = [path for path in places(document) if path not in layout._offsets]
    assert not missing
    assert layout.duplicate is None
    ends = [statement.end for statement in layout.statements]
    assert ends == sorted(ends)
    assert not ends or not text[ends[-1] :].partition("#")[0].strip()


@given(texts)
@example('a = """"a""\n"""""\nb = 1')
@example("[[a]]\n[a.b]\n[[a]]\n[[a.b]]")
def test_texts_like_toml(text: str) -> None:
    check(text)


@given(fragments)
def test_fragments_of_toml(text: str) -> None:
    check(text)


@given(st.lists(st.tuples(values, st.integers(0, 3)), max_size=6))
def test_lines_are_right(statements: list[tuple[str, int]]) -> None:
    text, expected = "", {}
    for number, (value, blanks) in enumerate(statements):
        text += "\n" * blanks
        expected["k", f"n{number}"] = text.count("\n") + 1
        text += f"k.n{number} = {value}\n"
    layout = scan(text)
    try:
        tomllib.loads(text)
    except ValueError:
        return  # keys of an inline table that clash
    assert {path: layout.line(path) for path in expected} == expected
