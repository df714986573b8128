from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.errors import StoreError
from pinner.oci.digest import Digest
from pinner.serve.app import App, tag_page
from pinner.serve.message import FileSlice, Request, Response

if TYPE_CHECKING:
    from typing import Protocol

    class Content(Protocol):
        looked_up: list[str]

        def put_blob(self, data: bytes) -> Digest: ...
        def put_manifest(
            self,
            name: str,
            tag: str,
            data: bytes,
            media_type: str = ...,
            last_modified: float | None = ...,
        ) -> Digest: ...


DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def ask(app: App, target: str, method: str = "GET", **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.handle(Request(method=method, target=target, headers=fields))


def header(response: Response, name: str) -> str | None:
    return dict(response.headers).get(name)


def body_of(response: Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    part = response.body
    return part.path.read_bytes()[part.start : part.start + part.length]


def document(response: Response) -> Any:
    return json.loads(body_of(response))


def error_code(response: Response) -> str:
    (error,) = document(response)["errors"]
    assert set(error) == {"code", "message"}
    code: str = error["code"]
    return code


def test_it_is_a_registry(app: App) -> None:
    response = ask(app, "/v2/")
    assert response.status == 200
    assert header(response, "Docker-Distribution-Api-Version") == "registry/2.0"
    assert document(response) == {}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
@pytest.mark.parametrize("target", ["/v2/", "/v2/a/blobs/uploads/", "/v2/a/manifests/x", "/.."])
def test_W01_whatever_would_write_is_refused(app: App, method: str, target: str) -> None:
    response = ask(app, target, method)
    assert response.status == 405
    assert header(response, "Allow") == "GET, HEAD"
    assert error_code(response) == "UNSUPPORTED"


@pytest.mark.parametrize(
    "target", ["/v2/..%2fa/manifests/x", "/v2/a//b/tags/list", "/v2/a/blobs/x"]
)
def test_W02_a_bad_path_never_reaches_the_content(app: App, content: Content, target: str) -> None:
    assert ask(app, target).status == 400
    assert content.looked_up == []


def test_a_manifest_by_tag_and_by_digest(app: App, content: Content) -> None:
    digest = content.put_manifest("library/debian", "bookworm", b'{"a": 1}')
    by_tag = ask(app, "/v2/library/debian/manifests/bookworm")
    by_digest = ask(app, f"/v2/library/debian/manifests/{digest}")
    assert by_tag == by_digest
    assert by_tag.body == b'{"a": 1}'


def test_W03_a_manifest_says_its_digest_and_length(app: App, content: Content) -> None:
    digest = content.put_manifest("a", "x", b"{}")
    response = ask(app, "/v2/a/manifests/x")
    assert header(response, "Docker-Content-Digest") == str(digest)
    assert header(response, "Content-Length") == "2"


def test_W03_a_blob_says_its_digest_and_length(app: App, content: Content) -> None:
    digest = content.put_blob(b"0123456789")
    response = ask(app, f"/v2/a/blobs/{digest}")
    assert header(response, "Docker-Content-Digest") == str(digest)
    assert header(response, "Content-Length") == "10"
    assert body_of(response) == b"0123456789"


@pytest.mark.parametrize(
    "target",
    [
        "/v2/",
        "/v2/a/manifests/x",
        "/v2/a/manifests/missing",
        "/v2/missing/manifests/x",
        "/v2/a/tags/list?n=1",
        "/v2/a/blobs/{blob}",
        "/v2/a/blobs/sha256:0",
        "/nowhere",
    ],
)
def test_W03_HEAD_has_the_headers_of_GET_and_no_body(
    app: App, content: Content, target: str
) -> None:
    content.put_manifest("a", "x", b"{}")
    content.put_manifest("a", "y", b"{}")
    target = target.format(blob=content.put_blob(b"0123456789"))
    got, head = ask(app, target), ask(app, target, "HEAD")
    assert (head.status, head.headers) == (got.status, got.headers)
    assert head.body == b""


def test_W06_a_manifest_has_its_stored_media_type(app: App, content: Content) -> None:
    content.put_manifest("a", "x", b"{}", media_type=DOCKER_LIST)
    response = ask(app, "/v2/a/manifests/x", accept="application/vnd.oci.image.index.v1+json")
    assert header(response, "Content-Type") == DOCKER_LIST


def test_the_time_of_a_manifest_is_said_where_it_is_known(app: App, content: Content) -> None:
    content.put_manifest("a", "x", b"{}", last_modified=1_700_000_000.0)
    response = ask(app, "/v2/a/manifests/x")
    assert header(response, "Last-Modified") == "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize(
    ("asked", "status", "sent", "content_range"),
    [
        pytest.param("bytes=2-4", 206, b"234", "bytes 2-4/10", id="closed"),
        pytest.param("bytes=7-", 206, b"789", "bytes 7-9/10", id="open"),
        pytest.param("bytes=-2", 206, b"89", "bytes 8-9/10", id="suffix"),
        pytest.param("bytes=0-9", 206, b"0123456789", "bytes 0-9/10", id="all"),
        pytest.param("bytes=0-0,2-2", 200, b"0123456789", None, id="several"),
        pytest.param("bytes=5-2", 200, b"0123456789", None, id="invalid"),
    ],
)
def test_W04_ranges_of_a_blob(
    app: App, content: Content, asked: str, status: int, sent: bytes, content_range: str | None
) -> None:
    digest = content.put_blob(b"0123456789")
    response = ask(app, f"/v2/a/blobs/{digest}", range=asked)
    assert response.status == status
    assert body_of(response) == sent
    assert header(response, "Content-Length") == str(len(sent))
    assert header(response, "Content-Range") == content_range
    assert header(response, "Docker-Content-Digest") == str(digest)


def test_W04_a_range_outside_the_blob(app: App, content: Content) -> None:
    digest = content.put_blob(b"0123456789")
    response = ask(app, f"/v2/a/blobs/{digest}", range="bytes=10-12")
    assert response.status == 416
    assert header(response, "Content-Range") == "bytes */10"


def test_W04_a_range_is_ignored_on_HEAD(app: App, content: Content) -> None:
    digest = content.put_blob(b"0123456789")
    response = ask(app, f"/v2/a/blobs/{digest}", "HEAD", range="bytes=0-1")
    assert (response.status, header(response, "Content-Length")) == (200, "10")


def test_W04_a_range_is_ignored_behind_a_validator_that_cannot_match(
    app: App, content: Content
) -> None:
    digest = content.put_blob(b"0123456789")
    response = ask(app, f"/v2/a/blobs/{digest}", range="bytes=0-1", if_range='"etag"')
    assert (response.status, body_of(response)) == (200, b"0123456789")


def test_W04_a_range_is_ignored_on_a_manifest(app: App, content: Content) -> None:
    content.put_manifest("a", "x", b"{}")
    assert ask(app, "/v2/a/manifests/x", range="bytes=0-0").status == 200


def test_an_empty_blob(app: App, content: Content) -> None:
    digest = content.put_blob(b"")
    response = ask(app, f"/v2/a/blobs/{digest}")
    assert response.status == 200
    assert isinstance(response.body, FileSlice)
    assert response.body.length == 0


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v2/missing/manifests/x", "NAME_UNKNOWN"),
        ("/v2/missing/tags/list", "NAME_UNKNOWN"),
        ("/v2/a/manifests/missing", "MANIFEST_UNKNOWN"),
        (f"/v2/a/manifests/{Digest.of(b'missing')}", "MANIFEST_UNKNOWN"),
        (f"/v2/a/blobs/{Digest.of(b'missing')}", "BLOB_UNKNOWN"),
    ],
)
def test_what_is_not_there(app: App, content: Content, target: str, code: str) -> None:
    content.put_manifest("a", "x", b"{}")
    response = ask(app, target)
    assert response.status == 404
    assert error_code(response) == code


def test_W05_a_failing_store_is_a_500_that_names_no_path() -> None:
    class Broken:
        def tags(self, name: str) -> tuple[str, ...] | None:
            raise StoreError("cannot be read", where="/secret/place")

    response = ask(App(Broken()), "/v2/a/tags/list")  # type: ignore[arg-type] # one method is asked
    assert response.status == 500
    assert b"secret" not in body_of(response)


def test_all_tags(app: App, content: Content) -> None:
    for tag in ("b", "A", "c"):
        content.put_manifest("a", tag, b"{}")
    response = ask(app, "/v2/a/tags/list")
    assert document(response) == {"name": "a", "tags": ["A", "b", "c"]}
    assert header(response, "Link") is None


def test_tags_are_walked_page_by_page(app: App, content: Content) -> None:
    expected = [f"1.{number:02}" for number in range(7)]
    for tag in expected:
        content.put_manifest("team/app", tag, b"{}")
    seen: list[str] = []
    target: str | None = "/v2/team/app/tags/list?n=3"
    while target:
        response = ask(app, target)
        seen += document(response)["tags"]
        link = header(response, "Link")
        target = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
    assert seen == expected


def test_a_page_of_none_has_no_next(app: App, content: Content) -> None:
    content.put_manifest("a", "x", b"{}")
    response = ask(app, "/v2/a/tags/list?n=0")
    assert document(response)["tags"] == []
    assert header(response, "Link") is None


def test_a_page_may_start_behind_a_tag_that_is_gone() -> None:
    assert tag_page(("a", "c"), count=None, last="b") == (["c"], False)


@given(st.sets(st.text("aAbB1._-", min_size=1, max_size=4)), st.integers(1, 5))
def test_pages_together_are_all_tags_once(tags: set[str], count: int) -> None:
    seen: list[str] = []
    more, last = True, ""
    while more:
        page, more = tag_page(tuple(tags), count=count, last=last)
        assert len(page) <= count
        seen += page
        last = page[-1] if page else ""
    assert seen == tag_page(tuple(tags), count=None, last="")[0]
    assert set(seen) == tags
