"""YAML as nodes: limits, aliases, merge keys, keys that are there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pinner.rewrite import yamlspans
from pinner.rewrite.page import Page
from pinner.rewrite.yamlsearch import Search, search
from pinner.rewrite.yamlspans import Mapping, Node, NotYaml, Scalar, Sequence, read_documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.model import Found


def root(text: str) -> Mapping:
    (node,) = read_documents(text.encode())
    assert isinstance(node, Mapping)
    return node


def scalars(node: Node) -> Iterator[tuple[str, int, int]]:
    if isinstance(node, Scalar):
        yield node.value, node.start, node.end
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for key, value in zip(node.keys.values(), node.values.values(), strict=True):
            yield from scalars(key)
            yield from scalars(value)


def composed(node: yaml.Node | None) -> Iterator[tuple[str, int, int]]:
    if isinstance(node, yaml.ScalarNode):
        yield node.value, node.start_mark.index, node.end_mark.index
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from composed(item)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from composed(key)
            yield from composed(value)


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@given(
    tree=st.recursive(
        st.text("ab:1 -#'\"\n", max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abcd", max_size=2), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    flow=st.booleans(),
)
def test_nodes_are_those_that_pyyaml_composes(loader: type, tree: object, *, flow: bool) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow)
    (node,) = read_documents(text.encode())
    assert list(scalars(node)) == list(composed(yaml.compose(text, Loader=loader)))


def test_without_libyaml_the_places_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x 'b'\nc: [*x, {d: |\n  e\n}]\nf: ü\n".replace("|\n  e\n", '"e"')
    fast = list(scalars(root(text)))
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert list(scalars(root(text))) == fast


@pytest.mark.parametrize(
    ("data", "why", "syntax"),
    [
        pytest.param(b"a: [", "is not YAML", True, id="unclosed"),
        pytest.param(b"a: *x", "an alias names no anchor", True, id="alias to nothing"),
        pytest.param(b"a: &x 1\n---\nb: *x", "names no anchor", True, id="of another document"),
        pytest.param(b"a: \x00", "a control character", True, id="NUL"),
        pytest.param("a: b".encode("utf-16"), "control character", True, id="UTF-16"),
        pytest.param(b"# c\xc2\x85a: b", "tools do not agree", True, id="NEL"),
        pytest.param("# c\u2028a: b".encode(), "tools do not agree", True, id="LS"),
        pytest.param(b"[" * 101 + b"]" * 101, "nested more than 100", False, id="deep"),
        pytest.param(b"[" * 200_000, "nest", True, id="beyond the limit of libyaml"),
        pytest.param(b"- " * 2000, "nested more than 100", False, id="deep block"),
        pytest.param(b"#" * (4 << 20) + b"#", "larger than 4 MiB", False, id="large"),
    ],
)
def test_what_cannot_be_read(data: bytes, why: str, *, syntax: bool) -> None:
    with pytest.raises(NotYaml, match=why) as caught:
        read_documents(data)
    assert caught.value.syntax is syntax
    assert 0 <= caught.value.offset <= len(data)


def test_a_control_character_is_shown_where_it_stands() -> None:
    with pytest.raises(NotYaml) as caught:
        read_documents("a: é漢\nb: \x07".encode())
    assert caught.value.offset == len("a: é漢\nb: ".encode())


def test_the_last_level_that_is_read() -> None:
    assert read_documents(b"[" * 100 + b"]" * 100)


def test_an_alias_is_the_node_that_it_names() -> None:
    node = root("a: &x {b: 1}\nc: *x\nd: [*x]\n")
    assert node.values["c"] is node.values["a"]


def test_keys_that_are_no_scalars_are_left_out_and_keys_of_other_scripts_differ() -> None:
    node = root("? [a]\n: b\n? {c: d}\n: e\nü: 1\nö: 2\n")
    assert [value.value for value in node.values.values() if isinstance(value, Scalar)] == [
        "1",
        "2",
    ]
    assert not node.doubled


def find_all(text: str) -> tuple[Found, ...]:
    def look(looking: Search, node: Node) -> None:
        for _, value in looking.items(looking.get(node, "s")):
            looking.image(looking.get(value, "image"))

    return search(Page(text.encode()), look)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("s: {a: {image: x:1}}", ["x:1"], id="plain"),
        pytest.param("b: &b {image: x:1}\ns: {a: {<<: *b}}", ["x:1"], id="merged"),
        pytest.param(
            "b: &b {image: x:1}\ns: {a: {<<: *b, image: y:1}}", ["y:1"], id="own key first"
        ),
        pytest.param(
            "b: &b {image: x:1}\nc: &c {image: y:1}\ns: {a: {<<: [*c, *b]}}",
            ["y:1"],
            id="the first counts",
        ),
        pytest.param(
            "b: &b {a: {image: x:1}}\ns: {<<: *b, c: {image: y:1}}", ["x:1", "y:1"], id="items"
        ),
        pytest.param("b: &b {image: x:1}\ns: {a: *b, c: *b}", ["x:1"], id="told once"),
        pytest.param("s: &s {<<: *s, a: {image: x:1}}", ["x:1"], id="merged with itself"),
        pytest.param("s: {a: {image: null}, b: {image: ~}, c: {image: }}", [], id="null"),
        pytest.param("s: {a: {'<<': {image: x:1}}}", [], id="a quoted << is a key"),
    ],
)
def test_searching(text: str, found: list[str]) -> None:
    assert [one.reference.text for one in find_all(text) if hasattr(one, "reference")] == found


def test_aliases_and_merge_keys_that_multiply_are_cut_short() -> None:
    levels = ["a0: &a0 {other: x:1}"]
    for number in range(1, 40):
        inner = ", ".join([f"*a{number - 1}"] * 40)
        levels.append(f"a{number}: &a{number} {{<<: [{inner}]}}")
    (found,) = find_all("\n".join([*levels, "s: {a: *a39}"]))
    assert not hasattr(found, "reference")
    assert found.why == "its aliases and merge keys multiply beyond all use"


def test_limits_of_the_file() -> None:
    assert yamlspans.DEPTH_LIMIT == 100
    assert yamlspans.SIZE_LIMIT == 4 << 20
