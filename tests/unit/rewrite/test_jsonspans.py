"""JSON with comments: what it reads is what json loads, comments and trailing commas aside."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.rewrite.jsonspans import NotJson, read_json, read_string
from pinner.rewrite.located import NOWHERE, Located
from pinner.rewrite.yamlspans import Mapping, Node, Scalar, Sequence

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"\\/\n\té', max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('abc"é', max_size=2), inner)
    ),
    max_leaves=8,
)


def loaded(node: Node, source: Located) -> object:
    """As json.loads would have it; strings in the bytes of the file."""
    if isinstance(node, Mapping):
        return {key: loaded(value, source) for key, value in node.values.items()}
    if isinstance(node, Sequence):
        return [loaded(item, source) for item in node.items]
    return node.value if node.style else json.loads(node.value)


@given(JSON, st.sampled_from([None, 2, "\t"]))
def test_it_reads_what_json_loads(value: object, indent: int | str | None) -> None:
    text = json.dumps(value, indent=indent)
    source = Located.of(text.encode())
    assert loaded(read_json(source), source) == json.loads(text)


@given(JSON, st.sampled_from(["// c\n", "/* c */", " ", "\r\n"]))
def test_comments_and_trailing_commas_do_not_matter(value: object, between: str) -> None:
    text = json.dumps({"k": [value]}, separators=(f"{between},{between}", f"{between}:{between}"))
    text = f"{between}{text[:-2]},{between}],{between}}}{between}"
    source = Located.of(text.encode())
    assert loaded(read_json(source), source) == json.loads(json.dumps({"k": [value]}))


@given(st.text('ab/"\\:1\té', max_size=8))
def test_characters_of_a_string_keep_their_places(text: str) -> None:
    data = json.dumps({"k": text}, ensure_ascii=False).encode()
    source = Located.of(data)
    root = read_json(source)
    assert isinstance(root, Mapping)
    scalar = root.values["k"]
    assert isinstance(scalar, Scalar)
    read = read_string(source, scalar)
    assert read.text.encode("latin-1").decode() == text
    for character, origin in zip(read.text, read.origins, strict=True):
        assert data[origin] == ord(character) if origin != NOWHERE else character in '"\\\t'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a value is missing"),
        ("{", "a key is missing"),
        ('{"a"}', ": is missing"),
        ('{"a": 1 "b": 2}', ", is missing"),
        ("[1] 2", "something follows"),
        ('"a', "not JSON"),
        ("/* a", "not JSON"),
        ("[" * 102, "nested more than 100"),
        ("#" * ((4 << 20) + 1), "larger than 4 MiB"),
    ],
)
def test_what_cannot_be_read(text: str, why: str) -> None:
    with pytest.raises(NotJson, match=why):
        read_json(Located.of(text.encode()))
