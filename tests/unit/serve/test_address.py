from __future__ import annotations

import pytest

from pinner.errors import InputError
from pinner.serve.address import is_any, is_loopback, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:5000", ("127.0.0.1", 5000)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "5000", ":5000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536"),
        *("::1:5000", "[::1]", "http://127.0.0.1:5000", "127.0.0.1:5000/", "a:٣"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InputError, match="not an address to listen on"):
        parse_address(text)


@pytest.mark.parametrize(
    "text", ["images.example:5000", "[fe80::x]:1", "127.1:5000", "\x1b[31m.:1"]
)
def test_a_host_is_an_address_or_localhost(text: str) -> None:
    with pytest.raises(InputError, match=r"cannot listen on|not an address") as refused:
        parse_address(text)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "loopback", "everything"),
    [
        ("127.0.0.1", True, False),
        ("127.9.9.9", True, False),
        ("::1", True, False),
        ("0.0.0.0", False, True),
        ("::", False, True),
        ("192.0.2.1", False, False),
        ("fe80::1%eth0", False, False),
    ],
)
def test_who_reaches_an_address(host: str, loopback: bool, everything: bool) -> None:  # noqa: FBT001 - a table
    assert (is_loopback(host), is_any(host)) == (loopback, everything)
