"""HTTP/1.1 on the wire: the head of a request read, the head of a response written (RFC 9112).

Strict where leniency has let requests be smuggled: no folded lines, no bare CR or LF, no space
before a colon, exactly one Host, printable ASCII in the target. Anything else is refused.
"""

from __future__ import annotations

import http
import re
from typing import Final

from pinner.serve.message import Request, Response

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE: Final = re.compile(
    rf"(?P<method>{_WORD}) (?P<target>[\x21-\x7e]+) HTTP/(?P<version>[0-9]\.[0-9])"
)
_FIELD: Final = re.compile(rf"(?P<name>{_WORD}):[ \t]*(?P<value>[\t\x20-\x7e\x80-\xff]*)")
_ABSOLUTE: Final = re.compile(r"\Ahttps?://[^/?]+", re.IGNORECASE)
_DIGITS: Final = re.compile(r"[0-9]+")
_FIELD_VALUE: Final = re.compile(r"[\t\x20-\x7e]*")


class BadHead(Exception):  # noqa: N818 - what it is, not what failed
    """Bytes that are not the head of a request that is answered here.

    Attributes:
        status: the HTTP status to refuse it with.
        reason: for a person; holds nothing of the request.
    """

    def __init__(self, status: http.HTTPStatus, reason: str = "") -> None:
        super().__init__(status.phrase)
        self.status = status
        self.reason = reason or status.phrase.lower()


def parse_head(head: bytes, *, peer: str = "") -> Request:
    """The request of `peer` whose head is `head`, without the empty line that ends it.

    A target in absolute form, as proxies get it, loses its scheme and authority: RFC 9112 3.2.2
    wants it taken, and whoever is asked here is us.

    Raises:
        BadHead: malformed (400), or not HTTP/1.0 or 1.1 (505).
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None:
        raise BadHead(http.HTTPStatus.BAD_REQUEST)
    version = line["version"]
    if version not in {"1.0", "1.1"}:
        raise BadHead(http.HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    headers = _fields(lines)
    if version == "1.1" and "," in headers.get("host", ","):  # none, or several
        raise BadHead(http.HTTPStatus.BAD_REQUEST)
    chunked, length = "transfer-encoding" in headers, headers.get("content-length", "0")
    if (chunked and "content-length" in headers) or not _DIGITS.fullmatch(length):
        raise BadHead(http.HTTPStatus.BAD_REQUEST)  # read in two ways by two readers: smuggled
    # A body is never read, so nothing behind it on the connection can be a request.
    has_body = chunked or length != "0"
    wants_close = "close" in headers.get("connection", "").lower()
    return Request(
        method=line["method"],
        target=_origin_form(line["target"]),
        headers=headers,
        keep_alive=version == "1.1" and not has_body and not wants_close,
        peer=peer,
    )


def _origin_form(target: str) -> str:
    if target.startswith("/"):
        return target
    path, found = _ABSOLUTE.subn("", target)
    return f"/{path.removeprefix('/')}" if found else target


def _fields(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise BadHead(http.HTTPStatus.BAD_REQUEST)
        name, value = field["name"].lower(), field["value"].rstrip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def render_head(response: Response, *, date: str, keep_alive: bool) -> bytes:
    """Status line and headers, with the empty line that ends them.

    Args:
        response: what to answer.
        date: now, as RFC 9110 writes it.
        keep_alive: whether the connection stays open.

    Raises:
        ValueError: a header that would break out of its line; content must never reach here so.
    """
    fields = [
        *response.headers,
        ("Date", date),
        ("Server", "pinner"),
        ("Connection", "keep-alive" if keep_alive else "close"),
    ]
    for name, value in fields:
        if not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"header {name} holds a character that no header can carry")
    status = http.HTTPStatus(response.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {v}" for name, v in fields)]
    return "\r\n".join([*lines, "", ""]).encode("ascii")
