"""Edits of a credential file: the entry changes, and every other byte stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import InputError
from pinner.registry.authtext import with_entry, without_entries

ENTRY = {"auth": "QQ=="}


def set_b(text: str) -> str:
    return with_entry(text.encode(), "b.example", ENTRY, name="file").decode()


def without(text: str, *keys: str) -> str:
    return without_entries(text.encode(), set(keys), name="file").decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            "",
            '{\n\t"auths": {\n\t\t"b.example": {\n\t\t\t"auth": "QQ=="\n\t\t}\n\t}\n}',
            id="no-file",
        ),
        pytest.param(
            "null\r\n",
            '{\n\t"auths": {\n\t\t"b.example": {\n\t\t\t"auth": "QQ=="\n\t\t}\n\t}\n}',
            id="null-for-all",
        ),
        pytest.param(
            "{}\n",
            '{\n\t"auths": {\n\t\t"b.example": {\n\t\t\t"auth": "QQ=="\n\t\t}\n\t}\n}\n',
            id="empty-object",
        ),
        pytest.param(
            '{\n\t"auths": {\n\t\t"a": {}\n\t}\n}',
            '{\n\t"auths": {\n\t\t"a": {},\n'
            '\t\t"b.example": {\n\t\t\t"auth": "QQ=="\n\t\t}\n\t}\n}',
            id="another",
        ),
        pytest.param(
            '{\n  "x": 1.50,\n  "auths": {}\n}',
            '{\n  "x": 1.50,\n  "auths": {\n'
            '    "b.example": {\n      "auth": "QQ=="\n    }\n  }\n}',
            id="spaces",
        ),
        pytest.param(
            '{"credsStore":"x","auths":{"a":{}}}',
            '{"credsStore":"x","auths":{"a":{},"b.example": {"auth": "QQ=="}}}',
            id="one-line",
        ),
        pytest.param(
            '{\r\n "z": [1, 2]\r\n}\r\n',
            '{\r\n "auths": {\r\n  "b.example": {\r\n   "auth": "QQ=="\r\n  }\r\n },\r\n'
            ' "z": [1, 2]\r\n}\r\n',
            id="CRLF-and-first",
        ),
        pytest.param(
            '{"auths": null, "x": 1}',
            '{"auths": {"b.example": {"auth": "QQ=="}}, "x": 1}',
            id="null",
        ),
        pytest.param(
            '{"auths": {"b.example": {"auth": "old", "email": "e"}, "c": {"x":"}"}}}',
            '{"auths": {"b.example": {"auth": "QQ=="}, "c": {"x":"}"}}}',
            id="replaced-in-place",
        ),
        pytest.param(
            '{"auths": {"\\u0062.example": {}}}',
            '{"auths": {"\\u0062.example": {"auth": "QQ=="}}}',
            id="an-escaped-key",
        ),
        pytest.param(
            '\ufeff{"auths":{}}', '\ufeff{"auths":{"b.example": {"auth": "QQ=="}}}', id="BOM"
        ),
    ],
)
def test_an_entry_is_set(before: str, after: str) -> None:
    assert set_b(before) == after
    assert set_b(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('{"auths": {"b": {}}}', '{"auths": {}}', id="the-only-one"),
        pytest.param('{"auths":{"b":{}, "c":1}}', '{"auths":{"c":1}}', id="the-first"),
        pytest.param('{"auths":{"a":1,\n"b":{}\n}}', '{"auths":{"a":1\n}}', id="the-last"),
        pytest.param('{"auths":{"a":1, "b":{}, "c":2}}', '{"auths":{"a":1, "c":2}}', id="between"),
        pytest.param('{"auths":{"b":{},"a":1,"b":{}}}', '{"auths":{"a":1}}', id="twice"),
        pytest.param('{"b": {}, "auths":{"a":1}}', '{"b": {}, "auths":{"a":1}}', id="elsewhere"),
        pytest.param('{"auths": null}', '{"auths": null}', id="null"),
        pytest.param("", "{}", id="empty"),
    ],
)
def test_entries_are_removed(before: str, after: str) -> None:
    assert without(before, "b") == after


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b'{"auths":{}, "auths":{}}', "auths stands in it twice", id="auths"),
        pytest.param(
            b'{"auths":{"b.example":{},"b.example":{}}}', "b.example stands in it twice", id="key"
        ),
        pytest.param('{"auths":{}}'.encode("utf-16"), "is not UTF-8", id="UTF-16"),
        pytest.param('{"auths":{}}'.encode("utf-16-le"), "is not UTF-8", id="UTF-16-without-mark"),
    ],
)
def test_what_could_outlive_the_edit_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        with_entry(data, "b.example", ENTRY, name="file")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
ENTRIES = st.dictionaries(
    st.sampled_from(["a.example", "b.example", "https://b.example/v1/", 'q"{}']),
    st.dictionaries(st.sampled_from(["auth", "email"]), st.text(max_size=4), max_size=2),
)


@given(
    st.dictionaries(st.text(max_size=4).filter(lambda key: key != "auths"), VALUES, max_size=3),
    ENTRIES,
    st.integers(0, 3),
    st.sampled_from([None, 0, 1, 2, "\t"]),
    st.booleans(),
)
def test_any_file_keeps_all_else(
    others: dict[str, Any],
    auths: dict[str, Any],
    place: int,
    indent: int | str | None,
    ascii_only: bool,  # noqa: FBT001
) -> None:
    members = list(others.items())
    members.insert(min(place, len(members)), ("auths", auths))
    document = dict(members)
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    document = json.loads(text)
    auths = document["auths"]
    edited = set_b(text)
    assert json.loads(edited) == {**document, "auths": {**auths, "b.example": ENTRY}}
    assert list(json.loads(edited)) == list(document)
    left = {key: value for key, value in auths.items() if key != "b.example"}
    removed = without(edited, "b.example")
    assert json.loads(removed) == {**document, "auths": left}
    if left and "b.example" not in auths:
        assert removed == text
