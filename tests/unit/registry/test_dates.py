"""Dates in headers; the examples are RFC 9110's (5.6.7), and RFC 5322's zone that says nothing."""

from __future__ import annotations

import pytest

from pinner.registry.dates import http_date


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777, id="IMF-fixdate"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777, id="RFC 850"),
        pytest.param("Sun Nov  6 08:49:37 1994", 784_111_777, id="asctime"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 -0000", 784_111_777, id="no zone"),
        pytest.param("Sun, 06 Nov 1994 09:49:37 +0100", 784_111_777, id="another zone"),
        pytest.param("", None, id="empty"),
        pytest.param("yesterday", None, id="words"),
        pytest.param("Sun, 66 Nov 1994 08:49:37 GMT", None, id="no such day"),
        pytest.param(f"Sun, {'9' * 11} Nov 1994 08:49:37 GMT", None, id="a day of 11 digits"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 +9999999999", None, id="a zone of 10 digits"),
    ],
)
def test_http_date(text: str, expected: int | None) -> None:
    assert http_date(text) == expected
