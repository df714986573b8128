"""What comes over the network: a registry's headers and bodies, and requests to our own server."""

from __future__ import annotations

import http
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h11

from fuzz.target import Target, printable, refusing
from pinner.errors import ProtocolError
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.grammar import is_authority, is_path, is_tag
from pinner.oci.mediatypes import without_parameters
from pinner.oci.sources import RawManifest
from pinner.registry.challenge import Challenge, MalformedChallenge, parse_challenges
from pinner.registry.dates import http_date
from pinner.registry.errorbody import read_error
from pinner.registry.paging import next_page, read_tags
from pinner.registry.ratelimit import exhausted_quota, wait_asked_for
from pinner.registry.urls import InvalidUrl, Url
from pinner.serve.app import App
from pinner.serve.content import BlobFile
from pinner.serve.http1 import BadHead, parse_head, render_head
from pinner.serve.message import FileSlice, Response
from pinner.serve.names import Name, read_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.serve.message import Request

_PAGE: Final = Url.parse("https://registry.example/v2/a/b/tags/list?n=100")
_NOW: Final = 1_700_000_000.0
_DATE: Final = "Sun, 06 Nov 1994 08:49:37 GMT"
_SIZE: Final = 1_000
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LATIN: Final = "latin-1"


def challenges(data: bytes) -> None:
    """WWW-Authenticate: what is read can be written as the grammar says and reads the same."""
    headers = data.decode(_LATIN).split("\n")
    with refusing(MalformedChallenge):
        found = parse_challenges(headers)
        written = ", ".join(map(_written, found))
        if len(written) < 16 * 1024:
            assert parse_challenges([written]) == found, written


def _written(challenge: Challenge) -> str:
    def quoted(text: str) -> str:
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'

    parameters = ", ".join(f"{k}={quoted(v)}" for k, v in challenge.parameters.items())
    return f"{challenge.scheme} {parameters}" if parameters else challenge.scheme


def answers(data: bytes) -> None:
    """A line of each header that answers have, and a body: each is read or refused, safely."""
    text = data.decode(_LATIN)
    head, _, rest = text.partition("\n")
    body = data[len(head) + 1 :]
    for url in (head, text):
        with refusing(InvalidUrl):
            parsed = Url.parse(url)
            printable(str(parsed))
            assert "\n" not in parsed.target
        with refusing(InvalidUrl):
            printable(str(_PAGE.join(url)))
    with refusing(ProtocolError):
        following = next_page([head, *rest.split("\n")[:2]], _PAGE)
        assert following is None or following.origin == _PAGE.origin
    with refusing(ProtocolError):
        assert all(map(is_tag, read_tags(body, _PAGE)))
    error = read_error(head, body)
    printable(error.text, *error.codes)
    moment = http_date(head)
    assert moment is None or math.isfinite(moment)
    quota = {"retry-after": head, "ratelimit-limit": head, "ratelimit-remaining": rest}
    wait = wait_asked_for(quota, rest, now=_NOW)
    assert wait is None or wait >= 0
    exhausted_quota(quota)
    without_parameters(head)


class _Content:
    """One repository with one manifest, and blobs of any digest that begins with a zero."""

    def __init__(self) -> None:
        data = b'{"schemaVersion": 2}'
        media_type = "application/vnd.oci.image.manifest.v1+json"
        self._raw = RawManifest(
            media_type=media_type, digest=Digest.of(data), data=data, last_modified=_NOW
        )

    def tags(self, name: Name) -> tuple[str, ...] | None:
        return ("1.0", "latest", "Z", "a") if _path(name) == "a/b" else None

    def manifest(self, name: Name, reference: str | Digest) -> RawManifest | None:
        _path(name)
        assert isinstance(reference, Digest) or is_tag(reference)
        return self._raw if reference in {"latest", self._raw.digest} else None

    def blob(self, name: Name, digest: Digest) -> BlobFile | None:
        _path(name)
        return BlobFile(path=Path(__file__), size=_SIZE) if digest.hex[0] == "0" else None

    def referrers(self, name: Name, subject: Digest) -> tuple[Descriptor, ...] | None:
        if _path(name) != "a/b":
            return None
        kinds = ("application/spdx+json", "text/plain")
        return tuple(
            Descriptor(
                media_type=self._raw.media_type,
                digest=Digest.of(kind.encode()),
                size=1,
                annotations={"subject": str(subject)},
                artifact_type=kind,
            )
            for kind in kinds
        )

    def repositories(self, namespace: str) -> tuple[str, ...]:
        assert not namespace or is_authority(namespace)
        return ("a/b", "c", "ghcr.io/d")


def _path(name: Name) -> str:
    assert is_path(name.path)
    read_name(name)
    return name.path


HOSTED: Final = _Content()
_APP: Final = App(HOSTED)


def requests(data: bytes) -> None:
    """The head of a request: refused, or answered within HTTP's rules."""
    request, status = _head(data)
    if request is None:
        assert status in {400, 505}
        return
    assert request.target.isascii()
    assert (request.method + request.target).isprintable()
    assert all(name == name.lower() for name in request.headers)
    assert all(map(_VALUE.fullmatch, request.headers.values()))
    _understood(data, request)
    response = _APP.handle(request)
    head = render_head(response, date=_DATE, keep_alive=request.keep_alive)
    _sound(response, head)
    if request.method == "HEAD":
        assert response.body == b""


def _understood(data: bytes, request: Request) -> None:
    """What is taken here, h11 takes for the same request, or refuses."""
    reader = h11.Connection(our_role=h11.SERVER)
    reader.receive_data(data + b"\r\n\r\n")
    try:
        other = reader.next_event()
    except h11.RemoteProtocolError:
        return
    assert isinstance(other, h11.Request), other
    assert other.method.decode() == request.method
    assert other.target.decode(_LATIN).endswith(request.target) or request.target[:1] == "/"
    if request.keep_alive:
        assert isinstance(reader.next_event(), h11.EndOfMessage), "h11 waits for a body"


def _head(data: bytes) -> tuple[Request | None, int]:
    """The request, or none and the status that refuses it."""
    try:
        return parse_head(data), 0
    except BadHead as error:
        return None, error.status


def _sound(response: Response, head: bytes) -> None:
    lines = head.split(b"\r\n")
    assert http.HTTPStatus(response.status).value in {200, 206, 400, 404, 405, 416}
    assert head.endswith(b"\r\n\r\n")
    assert len(lines) == len(response.headers) + 3 + 1 + 2, "a header broke out of its line"
    headers = dict(response.headers)
    length = int(headers["Content-Length"])
    if isinstance(response.body, FileSlice):
        assert response.body.length == length
        assert 0 <= response.body.start <= response.body.start + length <= _SIZE
    elif response.body:
        assert len(response.body) == length
        if headers["Content-Type"] == "application/json":
            json.loads(response.body)


def _challenge_seeds() -> Iterator[bytes]:
    yield b'Bearer realm="https://auth.example/token",service="registry",scope="repository:a:pull"'
    yield b'Basic realm="x", Bearer realm="https://a,b.example/\\"", error=invalid_token'
    yield b'Negotiate abc==, Basic realm=https://auth.example\nBearer  realm = "x" ,, Digest'


def _answer_seeds() -> Iterator[bytes]:
    yield b'</v2/a/b/tags/list?n=100&last=x>; rel="next"\n{"name": "a/b", "tags": ["1", "2"]}'
    yield b'<https://elsewhere.example/v2/a/b/tags/list?last=x>; rel=next\n{"tags": ["1", "a b"]}'
    yield b'application/json\n{"errors": [{"code": "DENIED", "message": "no", "detail": "x"}]}'
    yield b"text/html\n<html>no</html>"
    yield b'https://user:pw@registry.example:5000/v2/?a=b#c\n{"details": "no"}'
    yield b"Sun, 06 Nov 1994 08:49:37 GMT\nlong ago"
    yield b"Wed, 21 Oct 2026 07:28:00 GMT\nretry-after: 2.5s, allowed"
    yield b"100;w=21600\n0;w=21600"


def request_seeds() -> Iterator[bytes]:
    digest = Digest("sha256", "0" * 64)
    for target in (
        *("/v2/", "/v2/a/b/tags/list?n=2&last=1.0", "/v2/a/b/manifests/latest", "/"),
        *(f"/v2/a/b/referrers/{digest}?artifactType=text/plain", "/v2/_catalog?n=1&last=a/b"),
        *("/v2/a/b/tags/list?ns=ghcr.io&n=1", "/v2/registry.lan_5000/app/manifests/1"),
        *(f"/v2/a/b/blobs/{digest}", f"/v2/a/b/manifests/{digest}".replace(":", "%3A")),
    ):
        yield f"GET {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=1-5".encode()
        yield f"HEAD {target} HTTP/1.0\r\nConnection: close".encode()
    for target in ("/v2/../b/tags/list", f"/v2/A/b/blobs/{digest}", "/v2/a/b/manifests/.."):
        yield f"GET {target} HTTP/1.1\r\nHost: x\r\nRange: bytes=10-5000".encode()
    yield f"GET /v2/a/b/blobs/{digest} HTTP/1.1\r\nHost: x\r\nRange: bytes=10-5000".encode()
    for odd in (b"x\rX: y", b"x\0", b"\x1b[2J", b"x\r\n folded"):
        yield b"GET /v2/ HTTP/1.1\r\nHost: " + odd
    yield b"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5"


TARGETS: Final = (
    Target(
        name="challenges",
        about="WWW-Authenticate: what is read is written and read again the same",
        run=challenges,
        steady=350_000,
        seeds=_challenge_seeds,
        tokens=(
            *(
                b"Bearer ",
                b"Basic ",
                b'realm="',
                b"scope=",
                b"service=",
                b'\\"',
                b"\\",
                b", ",
                b"=",
            ),
            *(b"==", b"abc123==", b" = ", b"\t", b",,", b'"', b"\n", b"https://"),
        ),
    ),
    Target(
        name="answers",
        about="Link, Location, dates, quotas, tag lists and error bodies of registries",
        run=answers,
        seeds=_answer_seeds,
        tokens=(
            *(
                b'; rel="next"',
                b"<",
                b">",
                b"https://",
                b"//host",
                b"@",
                b":99999",
                b"[::1]",
                b"%00",
            ),
            *(b'{"errors": [', b'"code"', b'"message"', b'"tags": null', b'"detail"', b"\\u202e"),
            *(
                b"Wed, 21 Oct 2026 07:28:00 GMT",
                b" -0000",
                b"+9999",
                b"9" * 20,
                b"\xff",
                b"\x1b[2J",
            ),
            *(b"retry-after: 1s", b";w=", b"../", b"?", b"#", b"\\"),
        ),
    ),
    Target(
        name="requests",
        about="`pinner serve`: heads are refused or answered, a line a header; h11 agrees",
        run=requests,
        seeds=request_seeds,
        tokens=(
            *(
                b"GET ",
                b"HEAD ",
                b" HTTP/1.1",
                b" HTTP/1.0",
                b"\r\n",
                b"\n",
                b"Host: x",
                b"Range: ",
            ),
            *(
                b"bytes=",
                b"-",
                b"0-0",
                b"If-Range: x",
                b"Transfer-Encoding: chunked",
                b"%3A",
                b"%2f",
            ),
            *(
                b"/v2/",
                b"a/b/",
                b"tags/list",
                b"manifests/",
                b"blobs/",
                b"sha256:" + b"0" * 64,
                b"..",
            ),
            *(
                b"?n=",
                b"&last=",
                b"%0d%0a",
                b"Content-Length: 0",
                b"Connection: close",
                b"\x80",
                b"\0",
            ),
        ),
    ),
)
