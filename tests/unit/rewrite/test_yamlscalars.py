"""What a scalar reads is what PyYAML loads, and each character stands where it is said to."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pinner.rewrite.located import NOWHERE, Located
from pinner.rewrite.yamlscalars import read_scalar
from pinner.rewrite.yamlspans import Mapping, Scalar, read_documents

STYLES = [None, "'", '"', "|", ">"]
PIECES = [
    "a",
    "b:c",
    "nginx:1.27",
    "#",
    " ",
    "  ",
    "\n",
    "\n\n",
    "'",
    '"',
    "\\",
    "é",
    "漢",
    "🙂",
    "-",
]


def value_of(data: bytes, key: str = "k") -> Scalar:
    (root,) = read_documents(data)
    assert isinstance(root, Mapping)
    scalar = root.values[key]
    assert isinstance(scalar, Scalar)
    return scalar


def read(data: bytes) -> Located:
    return read_scalar(Located.of(data), value_of(data))


def characters(text: Located) -> str:
    """UTF-8 of located characters put together again; escaped ones are whole already."""
    out = bytearray()
    for character, origin in zip(text.text, text.origins, strict=True):
        out += character.encode("latin-1" if origin != NOWHERE else "utf-8")
    return out.decode()


def assert_in_place(text: Located, data: bytes) -> None:
    for character, origin in zip(text.text, text.origins, strict=True):
        assert origin == NOWHERE or data[origin] == ord(character)
    stand = [origin for origin in text.origins if origin != NOWHERE]
    assert stand == sorted(set(stand))


@given(
    text=st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
    style=st.sampled_from(STYLES),
    newline=st.sampled_from(["\n", "\r\n"]),
    width=st.sampled_from([4, 80]),
    unicode=st.booleans(),
)
def test_every_style_reads_as_it_loads(
    text: str, style: str | None, newline: str, width: int, *, unicode: bool
) -> None:
    dumped = yaml.dump(
        {"a": "é", "k": text},
        default_style=style,
        width=width,
        allow_unicode=unicode,
        line_break=newline,
        encoding="utf-8",
    )
    found = read(dumped)
    assert characters(found) == yaml.safe_load(dumped)["k"]
    assert_in_place(found, dumped)


@given(
    st.sampled_from(["", "&a ", "!!str ", "!x &a\n  ", "&a # c\n  "]),
    st.sampled_from(["", "'", '"', "|", "|-", "|+", ">", ">-", ">+", "|2", ">2-"]),
    st.lists(st.sampled_from(PIECES), max_size=10).map("".join),
)
def test_what_people_write_reads_as_it_loads(properties: str, style: str, text: str) -> None:
    quoted = style in {"'", '"'}
    body = text.replace("\n", "\n  ")
    data = f"k: {properties}{style}{'' if quoted else chr(10)}  {body}{style * quoted}\n".encode()
    try:
        node = yaml.compose(data.decode(), Loader=yaml.CSafeLoader)
        assert node is not None
        loaded = node.value[0][1]
        found = read(data)
    except yaml.YAMLError:
        return
    except AssertionError:
        return  # a mapping or a sequence
    assert characters(found) == loaded.value or set(found.origins) <= {NOWHERE}
    assert_in_place(found, data)


@pytest.mark.parametrize(
    ("written", "reads", "editable"),
    [
        pytest.param("nginx:1", "nginx:1", "nginx:1", id="plain"),
        pytest.param("&x nginx:1", "nginx:1", "nginx:1", id="anchor"),
        pytest.param("!!str &x nginx:1", "nginx:1", "nginx:1", id="tag and anchor"),
        pytest.param("!<tag:x,1> 'n:1'", "n:1", "n:1", id="a tag in full"),
        pytest.param("'it''s'", "it's", "its", id="a doubled quote stands nowhere"),
        pytest.param(r'"a\x3a1"', "a:1", "a1", id="an escape stands nowhere"),
        pytest.param('"a\\\n   b"', "ab", "ab", id="an escaped break"),
        pytest.param("a\n  b", "a b", "ab", id="a plain scalar of two lines"),
        pytest.param("&x a\n\n  b", "a\nb", "ab", id="an anchored one, with an empty line"),
        pytest.param("|2-\n    a\n   b", "  a\n b", "  a\n b", id="a told indentation"),
        pytest.param(">-\n  a\n  b\n\n  c\n", "a b\nc", "ab\nc", id="folded"),
        pytest.param(">\n  a\n    b\n  c\n", "a\n  b\nc\n", "a\n  b\nc\n", id="folded, deeper"),
        pytest.param("|+\n  a\n\n", "a\n\n", "a\n\n", id="kept breaks"),
        pytest.param("|\n\n  a\n # c\n", "\na\n", "\na\n", id="a comment behind"),
    ],
)
def test_reading(written: str, reads: str, editable: str) -> None:
    data = f"k: {written}".encode()
    found = read(data)
    assert found.text == reads
    stand = [
        character
        for character, origin in zip(found.text, found.origins, strict=True)
        if origin != NOWHERE
    ]
    assert "".join(stand) == editable
    assert_in_place(found, data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfk: nginx:1", id="BOM"),
        pytest.param(b"a: gr\xc3\xb6\xc3\x9fe\r\nk: nginx:1\r\n", id="UTF-8 and CRLF"),
        pytest.param("a: 🙂漢\nk: nginx:1".encode(), id="beyond the BMP"),
        pytest.param(b"a: gr\xf6\xdfe\nk: nginx:1\n", id="Latin-1"),
        pytest.param(b"k:\tnginx:1\t# c\n", id="tabs"),
        pytest.param(b"a: b\rk: nginx:1\r", id="lone CR"),
    ],
)
def test_offsets_are_those_of_bytes(data: bytes) -> None:
    found = read(data)
    assert (found.text, found.origins[0]) == ("nginx:1", data.index(b"nginx"))
