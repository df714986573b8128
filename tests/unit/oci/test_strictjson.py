"""JSON from outside has one meaning and a bounded cost, or it is refused."""

from __future__ import annotations

import pytest

from pinner.errors import IntegrityError
from pinner.oci.strictjson import MalformedJson, loads

LIMIT = 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"", "it is not JSON", id="empty"),
        pytest.param(b"{", "it is not JSON: .* at character 1", id="cut-off"),
        pytest.param(b"{} {}", "it is not JSON", id="two-documents"),
        pytest.param(b"<html>", "it is not JSON", id="M32"),
        pytest.param(b"NaN", "NaN is not an integer", id="M11-NaN"),
        pytest.param(b"-Infinity", "-Infinity is not an integer", id="M11-infinity"),
        pytest.param(b"1e999", "1e999 is not an integer", id="M11-1e999"),
        pytest.param(b"1.0", "1.0 is not an integer", id="M11-1.0"),
        pytest.param(b"9" * 21, "is not an integer", id="M11-21-digits"),
        pytest.param(b"9" * 5000, "is not an integer", id="M11-5000-digits"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="M12-lists"),
        pytest.param(b'{"a":' * 100_000, "nested too deeply", id="M12-objects"),
        pytest.param(b'{"a":1,"a":1}', 'the key "a" is there twice', id="M13"),
        pytest.param(b'[{"b":{"a":1,"c":2,"a":3}}]', 'the key "a"', id="M13-inner"),
        pytest.param(b'{"\\u001b":1,"\\u001b":1}', r'the key "\\x1b"', id="M13-escape"),
        pytest.param("{}".encode("utf-16"), "it is not UTF-8", id="M14-UTF-16"),
        pytest.param("{}".encode("utf-16-le"), "it is not JSON", id="M14-UTF-16-without-mark"),
        pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="M14-BOM"),
        pytest.param(b'"\xff"', "not UTF-8 at byte 1", id="M15"),
        pytest.param(b'"\xed\xa0\x80"', "not UTF-8", id="M15-encoded-surrogate"),
    ],
)
def test_refuses(data: bytes, says: str) -> None:
    with pytest.raises(MalformedJson, match=says) as refused:
        loads(data, LIMIT)
    assert isinstance(refused.value, IntegrityError)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"{}", {}),
        (b' {"a": [1, true, null, "x"]}\n', {"a": [1, True, None, "x"]}),
        (b"-9223372036854775808", -(2**63)),
        (b'"\xc3\xbc \xf0\x9f\x90\xb3"', "ü 🐳"),
        pytest.param(b'"\\ud800"', "\ud800", id="M16 a lone surrogate is text; `safe` shows it"),
    ],
)
def test_reads(data: bytes, value: object) -> None:
    assert loads(data, LIMIT) == value


def test_M17_the_limit_is_exact() -> None:
    assert loads(b'"1234567890"', 12) == "1234567890"
    with pytest.raises(MalformedJson, match="it has 12 bytes, more than 11"):
        loads(b'"1234567890"', 11)
