from __future__ import annotations

import json

import pytest

from pinner.registry.errorbody import LIMIT, read_error

JSON = "application/json; charset=utf-8"


def spec(*errors: object) -> bytes:
    return json.dumps({"errors": list(errors)}).encode()


@pytest.mark.parametrize(
    ("content_type", "data", "text"),
    [
        (
            JSON,
            spec({"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}),
            "MANIFEST_UNKNOWN: manifest unknown",
        ),
        (JSON, spec({"code": "DENIED", "message": "no", "detail": "ask"}), "DENIED: no (ask)"),
        (JSON, spec({"code": "A"}, {"message": "b"}), "A; b"),
        (JSON, spec(*({"code": str(n)} for n in range(9))), "0; 1; 2"),
        (JSON, b'{"details":"incorrect username or password"}', "incorrect username or password"),
        (JSON, b'{"message":"nope"}', "nope"),
        (JSON, b'{"error":"invalid_grant"}', "invalid_grant"),
        ("text/plain", b'{"message":"json all the same"}', "json all the same"),
        ("text/plain", b"Too Many Requests (HAP429).\n", "Too Many Requests (HAP429)."),
        pytest.param("text/html", b"<html>" + b"x" * 12000, "text/html, 12 KB", id="H12-html"),
        pytest.param("", b"<html>short</html>", "markup, 18 bytes", id="H12-unnamed-html"),
        pytest.param("application/xml", b"<Error/>", "application/xml, 8 bytes", id="xml"),
        pytest.param(JSON, b"[" * 60000, "[" * 500 + "… (+59500)", id="deep-json"),
        pytest.param(JSON, b'{"a":' * 10_000, '{"a":' * 100 + "… (+49500)", id="deep-objects"),
        (JSON, b"{not json", "{not json"),
        (JSON, b'{"other": 1}', '{"other": 1}'),
        (JSON, b'{"errors": "x", "message": "m"}', "m"),
        (JSON, spec(1, "x", None, {"code": 3, "message": ["m"]}), ""),
        (JSON, b"\xff\xfe", "\ufffd\ufffd"),
        (JSON, b"  ", ""),
    ],
)
def test_text(content_type: str, data: bytes, text: str) -> None:
    assert read_error(content_type, data).text == text


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (
            spec({"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}, {"code": "B"}),
            "manifest unknown: manifest unknown",
        ),
        (spec({"code": "TOOMANYREQUESTS"}), "toomanyrequests"),
        (spec({"message": "\x1b[2Jno"}), r"\x1b[2Jno"),
        (b'{"details":"incorrect username or password"}', ""),
        (b"", ""),
    ],
)
def test_the_first_error_in_dockers_form(data: bytes, cause: str) -> None:
    assert read_error(JSON, data).cause == cause


def test_codes() -> None:
    body = read_error(JSON, spec({"code": "A", "message": "x"}, {"code": "B"}))
    assert body.codes == ("A", "B")


def test_H12_foreign_text_is_made_safe_and_cut() -> None:
    message = "\x1b[2J\u202e" + "y" * 2000
    body = read_error(JSON, spec({"code": "X", "message": message}))
    assert body.text.startswith(r"X: \x1b[2J\u202eyyy")
    assert len(body.text) < 600


def test_H13_only_the_first_64_KiB_count() -> None:
    body = read_error("text/plain", b"a" * (10 * LIMIT))
    assert len(body.raw) == LIMIT
