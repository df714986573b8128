"""Bytes that are not a usable TOML file are refused with the place and the mend."""

from __future__ import annotations

import pytest

from pinner.errors import FileProblems
from pinner.tomlfiles.document import Document

LIMIT = 1024 * 1024


def refusal(data: bytes) -> str:
    with pytest.raises(FileProblems) as refused:
        Document.parse(data, path="images.toml", limit=LIMIT)
    assert refused.value.exit_code == 2
    return str(refused.value)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"[images\n", "images.toml:1:8: is not TOML: expected ']'", id="S02 header"),
        pytest.param(b"a = 1\nb = \n", "images.toml:2:5: is not TOML: invalid value", id="S02"),
        pytest.param(b'a = 1\nb = "x', "images.toml:2: is not TOML: unterminated", id="S02 end"),
        pytest.param(
            b'a = "\x1b"', "images.toml:1:6: is not TOML: illegal character", id="S02 ESC"
        ),
        pytest.param(b"a = 1\n# \xff\n", "images.toml:2: is not UTF-8 text", id="S03"),
        pytest.param(b"\xef\xbb\xbfa = 1", "images.toml:1: begins with a byte order", id="S04"),
        pytest.param("a = 1".encode("utf-16"), "images.toml: is UTF-16", id="S05"),
        pytest.param("a = 1".encode("utf-16-le"), "images.toml:1:2: is not TOML", id="S05 no mark"),
        pytest.param(b"x = " + b"[" * 100_000, "images.toml:1: nests more than 16", id="S06"),
        pytest.param(b"a." * 20_000 + b"b = 1", "images.toml:1: nests more than 16", id="S07"),
        pytest.param(b"a = 1\nb = " + b"9" * 5_000, "images.toml:2: is not TOML: a nu", id="S08"),
        pytest.param(b"#" * (LIMIT + 1), "images.toml: is larger than 1 MiB", id="S09"),
        pytest.param(b"a = 1\na = 2\n", "images.toml:2: a is there already, in line 1", id="S10"),
        pytest.param(b"a = 1\nb = \na = 2\n", "images.toml:2:5: is not TOML", id="S10 later"),
        pytest.param(b"a = 1\nb = 01\na = 2\n", "images.toml:2:6: is not TOML", id="S10 behind it"),
        pytest.param(b"a = 1\n<<<<<<< HEAD\n", "images.toml:2: has the marks of a merge", id="L02"),
        pytest.param(
            b"a = 1\r\n=======\r\n", "images.toml:2: has the marks of a merge", id="L02 ="
        ),
        pytest.param(b"a = 1\n>>>>>>> x\n", "images.toml:2: has the marks of a merge", id="L02 >"),
    ],
)
def test_refused(data: bytes, expected: str) -> None:
    assert refusal(data).startswith(expected)


def test_S09_the_limit_itself_is_allowed() -> None:
    Document.parse(b"#" * LIMIT, path="images.toml", limit=LIMIT)


@pytest.mark.parametrize("data", [b'"\\u001b" = 1\n"\\u001b" = 2\n', 'a = "\u202e'.encode()])
def test_messages_are_printable(data: bytes) -> None:
    assert refusal(data).isprintable()


def test_S19_CRLF() -> None:
    document = Document.parse(b"a = 1\r\nb = 2\r\n", path="images.toml", limit=LIMIT)
    assert document.values == {"a": 1, "b": 2}
    assert document.where(("b",)) == "images.toml:2"


def test_S01_nothing() -> None:
    assert Document.parse(b"", path="images.toml", limit=LIMIT).values == {}
