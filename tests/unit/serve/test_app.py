from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import StoreError
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.serve.app import App
from pinner.serve.message import FileSlice, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from pinner.serve.names import Name

    class Content(Protocol):
        looked_up: list[str]

        referring: dict[Digest, list[Descriptor]]

        def put_blob(self, data: bytes) -> Digest: ...
        def put_manifest(
            self,
            name: str,
            tag: str,
            data: bytes,
            media_type: str = ...,
            last_modified: float | None = ...,
        ) -> Digest: ...


OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
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
        "/v2/_catalog?n=1",
        f"/v2/a/referrers/{Digest.of(b'x')}",
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
        (f"/v2/missing/referrers/{Digest.of(b'x')}", "NAME_UNKNOWN"),
    ],
)
def test_what_is_not_there(app: App, content: Content, target: str, code: str) -> None:
    content.put_manifest("a", "x", b"{}")
    response = ask(app, target)
    assert response.status == 404
    assert error_code(response) == code


def test_W05_a_failing_store_is_a_500_that_names_no_path() -> None:
    class Broken:
        def tags(self, name: Name) -> tuple[str, ...] | None:
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


def pages(app: App, target: str) -> Iterator[Any]:
    """The documents of a list, page by page."""
    following: str | None = target
    while following:
        response = ask(app, following)
        assert response.status == 200
        yield document(response)
        link = header(response, "Link")
        following = link.removeprefix("<").removesuffix('>; rel="next"') if link else None


@pytest.mark.parametrize("namespace", ["", "&ns=registry.example:5000"])
def test_tags_are_walked_page_by_page(app: App, content: Content, namespace: str) -> None:
    expected = [f"1.{number:02}" for number in range(7)]
    for tag in expected:
        content.put_manifest("team/app", tag, b"{}")
    seen = [page["tags"] for page in pages(app, f"/v2/team/app/tags/list?n=3{namespace}")]
    assert seen == [expected[:3], expected[3:6], expected[6:]]


def test_repositories_are_walked_page_by_page(app: App, content: Content) -> None:
    for name in ("c", "a/b", "B"):
        content.put_manifest(name, "x", b"{}")
    seen = [page["repositories"] for page in pages(app, "/v2/_catalog?n=2")]
    assert seen == [["a/b", "B"], ["c"]]


def test_the_next_page_of_a_registry_is_of_that_registry(app: App, content: Content) -> None:
    for name in ("a", "b"):
        content.put_manifest(name, "x", b"{}")
    seen = [page["repositories"] for page in pages(app, "/v2/_catalog?n=1&ns=ghcr.io")]
    assert seen == [["ghcr.io/a"], ["ghcr.io/b"]]


def test_the_next_page_is_asked_with_what_this_one_was(app: App, content: Content) -> None:
    for tag in ("1", "2"):
        content.put_manifest("a", tag, b"{}")
    for number in range(300):
        refer(content, b"%d" % number, "a/b")
    links = [
        header(ask(app, target), "Link") or ""
        for target in (
            "/v2/a/tags/list?n=1&ns=ghcr.io",
            f"/v2/a/referrers/{Digest.of(b'{}')}?artifactType=a/b&ns=ghcr.io",
        )
    ]
    assert links[0] == '</v2/a/tags/list?n=1&last=1&ns=ghcr.io>; rel="next"'
    assert links[1].endswith('&artifactType=a%2Fb&ns=ghcr.io>; rel="next"')


def refer(content: Content, data: bytes, kind: str, **annotations: str) -> Descriptor:
    """A descriptor that refers to the manifest `{}`, which is at `a:x`."""
    subject = content.put_manifest("a", "x", b"{}")
    descriptor = Descriptor(
        media_type=OCI_MANIFEST,
        digest=Digest.of(data),
        size=len(data),
        artifact_type=kind,
        annotations=annotations,
    )
    content.referring.setdefault(subject, []).append(descriptor)
    return descriptor


def test_W08_referrers_are_an_index(app: App, content: Content) -> None:
    signature = refer(content, b"1", "a/signature", by="ada")
    plain = refer(content, b"2", "")
    response = ask(app, f"/v2/a/referrers/{Digest.of(b'{}')}")
    assert response.status == 200
    assert header(response, "Content-Type") == OCI_INDEX
    assert header(response, "OCI-Filters-Applied") is None
    found = document(response)
    assert (found["schemaVersion"], found["mediaType"]) == (2, OCI_INDEX)
    assert {one["digest"]: one for one in found["manifests"]} == {
        str(signature.digest): {
            "mediaType": OCI_MANIFEST,
            "digest": str(signature.digest),
            "size": 1,
            "artifactType": "a/signature",
            "annotations": {"by": "ada"},
        },
        str(plain.digest): {
            "mediaType": OCI_MANIFEST,
            "digest": str(plain.digest),
            "size": 1,
        },
    }


def test_W08_referrers_of_one_type(app: App, content: Content) -> None:
    signature = refer(content, b"1", "a/signature+json")
    refer(content, b"2", "a/sbom")
    asked = f"/v2/a/referrers/{Digest.of(b'{}')}?artifactType=a/signature%2Bjson"
    response = ask(app, asked)
    assert header(response, "OCI-Filters-Applied") == "artifactType"
    assert [one["digest"] for one in document(response)["manifests"]] == [str(signature.digest)]


def test_W08_nothing_refers_to_what_is_not_there(app: App, content: Content) -> None:
    content.put_manifest("a", "x", b"{}")
    response = ask(app, f"/v2/a/referrers/{Digest.of(b'missing')}")
    assert response.status == 200
    assert document(response)["manifests"] == []


def test_W08_many_referrers_come_in_pages(app: App, content: Content) -> None:
    expected = {str(refer(content, b"%d" % number, "a/b").digest) for number in range(600)}
    found = list(pages(app, f"/v2/a/referrers/{Digest.of(b'{}')}?artifactType=a/b&ns=ghcr.io"))
    assert [len(page["manifests"]) for page in found] == [256, 256, 88]
    assert {one["digest"] for page in found for one in page["manifests"]} == expected


def test_a_page_of_none_has_no_next(app: App, content: Content) -> None:
    content.put_manifest("a", "x", b"{}")
    response = ask(app, "/v2/a/tags/list?n=0")
    assert document(response)["tags"] == []
    assert header(response, "Link") is None
