"""Adding puts in one line, removing takes out its own, and no other byte changes."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from pinner.errors import FileProblems, InputError
from pinner.spec.edit import Addition, add_entry, remove_entry
from support.tables import FIXTURES

PATH = "images.toml"
DESIGN = (FIXTURES / "specs/good/design.toml").read_text(encoding="utf-8")

settings = st.sampled_from(
    [
        "[settings]",
        "[settings] # [images]",
        "# about\n[settings]\nplatforms = [ # one\n  'linux/amd64', # ]\n]",
        '[registries."localhost:5000"]\nplain-http = true',
    ]
)
values = st.sampled_from(
    ['"a"', "'a'  # short", '{ image = "a", tag = "x" } # ]', '{ image = """a\n[images]\n""" }']
)
names = st.sampled_from(["a", '"a.b"', "'c'", "d.image", "d.tag", "e"])
pairs = st.builds("{}{} = {}".format, st.sampled_from(["", "  ", "\t"]), names, values)
tables = st.builds(
    "{}\n{}".format,
    st.sampled_from(["[images.t]", "[ images . 'u.v' ] # t", "[images.d]"]),
    st.sampled_from(['image = "a"', '# inside\nimage = "a"\n\ntag = "b" # c', ""]),
)
others = st.sampled_from(["", "", "# words", "  # [images]\n# x = 1"])
lines = st.lists(st.one_of(pairs, tables, others, settings), max_size=8).map("\n".join)


def is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


@st.composite
def texts(draw: st.DrawFn) -> str:
    """An images.toml with a table [images], which ends with a line feed."""
    head = draw(st.one_of(others, settings, st.just("# top\n")))
    text = f"{head}\n[images]\n{draw(lines)}\n"
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


additions = st.sampled_from(["new=redis:7", "n.x=ghcr.io/acme/app@sha256:" + "1a" * 32, "redis"])


@given(texts().filter(is_toml), additions)
@example(DESIGN, "redis")
def test_removing_what_was_added_gives_the_same_bytes(text: str, argument: str) -> None:
    addition = Addition.parse(argument)
    added = add_entry(text, addition, path=PATH)
    assert remove_entry(added, addition.name, path=PATH) == text


@given(texts().filter(is_toml), additions)
@example(DESIGN, "redis")
def test_adding_puts_in_one_line(text: str, argument: str) -> None:
    before = text.splitlines(keepends=True)
    after = add_entry(text, Addition.parse(argument), path=PATH).splitlines(keepends=True)
    new = next(number for number, line in enumerate(after) if before[number : number + 1] != [line])
    assert after[:new] + after[new + 1 :] == before
    assert after[new].endswith("\r\n" if "\r\n" in text else "\n")


@given(st.data(), texts().filter(is_toml))
def test_removing_takes_out_lines_and_keeps_comments(data: st.DataObject, text: str) -> None:
    images = tomllib.loads(text)["images"]
    assume(images)
    name = data.draw(st.sampled_from(list(images)))
    left = remove_entry(text, name, path=PATH)
    before, after = text.splitlines(), left.splitlines()
    assert is_subsequence(after, before)
    for comment in ("# top", "# about"):  # which never stand within a table of [images]
        assert after.count(comment) == before.count(comment)
    assert tomllib.loads(left).get("images", {}) == without(images, name)


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)


def without(images: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in images.items() if key != name}


@given(lines, additions)
def test_any_text_is_edited_or_refused(text: str, argument: str) -> None:
    addition = Addition.parse(argument)
    try:
        added = add_entry(text, addition, path=PATH)
    except (FileProblems, InputError):
        return
    after = tomllib.loads(added)
    assert after.pop("images") == tomllib.loads(text).get("images", {}) | {
        addition.name: addition.reference.familiar()
    }
    assert after == without(tomllib.loads(text), "images")
