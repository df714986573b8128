from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.serve.http1 import BadHead, parse_head, render_head
from pinner.serve.message import Response

HOST = b"\r\nHost: x"


def test_a_request_is_read() -> None:
    request = parse_head(b"GET /v2/a/tags/list?n=1 HTTP/1.1\r\nHost: x:1\r\nRANGE:\tbytes=0-1 ")
    assert (request.method, request.target) == ("GET", "/v2/a/tags/list?n=1")
    assert request.headers == {"host": "x:1", "range": "bytes=0-1"}
    assert request.keep_alive


def test_repeated_fields_are_joined() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\naccept: b"
    assert parse_head(head).headers["accept"] == "a, b"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET / HTTP/1.0", id="http-1.0"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close", id="connection-close"),
        pytest.param(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4", id="has-a-body"),
        pytest.param(b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", id="chunked"),
    ],
)
def test_connections_that_cannot_be_kept(head: bytes) -> None:
    assert not parse_head(head).keep_alive


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"GET /", 400, id="http-0.9"),
        pytest.param(b"GET  / HTTP/1.1" + HOST, 400, id="two-spaces"),
        pytest.param(b"GET /\x00 HTTP/1.1" + HOST, 400, id="W02-nul"),
        pytest.param(b"GET /\xc3\xa9 HTTP/1.1" + HOST, 400, id="not-ascii"),
        pytest.param(b"G\xc3T / HTTP/1.1" + HOST, 400, id="method-not-ascii"),
        pytest.param(b"GET / HTTP/2.0" + HOST, 505, id="http-2"),
        pytest.param(b"GET / HTTP/1.1", 400, id="no-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y", 400, id="two-hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n folded", 400, id="folded"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : x", 400, id="space-before-colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\nEvil: y", 400, id="bare-lf"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\rEvil: y", 400, id="bare-cr"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nno colon", 400, id="no-colon"),
    ],
)
def test_malformed_heads_are_refused(head: bytes, status: int) -> None:
    with pytest.raises(BadHead) as refused:
        parse_head(head)
    assert refused.value.status == status


@given(st.binary(max_size=200) | st.text("GET /v2:HTTP1.\r\n\t hosx", max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    try:
        request = parse_head(head)
    except BadHead:
        return
    assert request.target.isascii()
    assert request.target.isprintable()


def test_a_response_head_is_written() -> None:
    response = Response(status=206, headers=(("Content-Length", "3"),), body=b"abc")
    assert render_head(response, date="now", keep_alive=True) == (
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\nDate: now\r\nServer: pinner\r\n"
        b"Connection: keep-alive\r\n\r\n"
    )


def test_a_response_says_that_it_closes() -> None:
    head = render_head(Response(status=200, headers=()), date="now", keep_alive=False)
    assert b"Connection: close\r\n" in head


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "\x1b[31m", "é"])
def test_no_header_breaks_out_of_its_line(value: str) -> None:
    with pytest.raises(ValueError, match="Content-Type"):
        render_head(
            Response(status=200, headers=(("Content-Type", value),)), date="now", keep_alive=True
        )
