from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.digest import Digest
from pinner.serve.names import Name
from pinner.serve.routes import (
    BlobAt,
    Catalog,
    ManifestAt,
    Ping,
    Referrers,
    Refused,
    Route,
    TagList,
    Window,
    parse_target,
)

D = Digest.of(b"x")


@pytest.mark.parametrize(
    ("target", "route"),
    [
        pytest.param("/v2", Ping(), id="ping"),
        pytest.param("/v2/", Ping(), id="ping-slash"),
        pytest.param("/v2/?x=1", Ping(), id="ping-query"),
        pytest.param(
            "/v2/debian/manifests/bookworm", ManifestAt(Name("debian"), "bookworm"), id="tag"
        ),
        pytest.param(f"/v2/a/b/c/manifests/{D}", ManifestAt(Name("a/b/c"), D), id="digest"),
        pytest.param(
            "/v2/a/manifests/latest?ns=docker.io",
            ManifestAt(Name("a", "docker.io"), "latest"),
            id="containerd-ns",
        ),
        pytest.param(
            "/v2/a/manifests/1?ns=127.0.0.1%3A5000",
            ManifestAt(Name("a", "127.0.0.1:5000"), "1"),
            id="containerd-ns-with-port",
        ),
        pytest.param(
            "/v2/a/tags/list?ns=index.docker.io",
            TagList(Name("a", "docker.io"), Window()),
            id="ns-alias",
        ),
        pytest.param(
            f"/v2/a/referrers/{D}?artifactType=a/b&last=x",
            Referrers(Name("a"), D, "a/b", "x"),
            id="W08",
        ),
        pytest.param("/v2/_catalog", Catalog("", Window()), id="catalog"),
        pytest.param(
            "/v2/_catalog?n=2&last=x&ns=ghcr.io",
            Catalog("ghcr.io", Window(2, "x")),
            id="catalog-page",
        ),
        pytest.param(f"/v2/a/blobs/{D}", BlobAt(Name("a"), D), id="blob"),
        pytest.param(f"/v2/a/blobs/sha256%3A{D.hex}", BlobAt(Name("a"), D), id="escaped-colon"),
        pytest.param(
            "/v2/a/manifests/b/manifests/c",
            ManifestAt(Name("a/manifests/b"), "c"),
            id="name-of-words",
        ),
        pytest.param("/v2/a/tags/list", TagList(Name("a"), Window()), id="tags"),
        pytest.param(
            "/v2/a/tags/list?n=2&last=x", TagList(Name("a"), Window(2, "x")), id="tags-page"
        ),
        pytest.param(
            "/v2/a/tags/list?last=a%2Bb", TagList(Name("a"), Window(None, "a+b")), id="tags-escaped"
        ),
        pytest.param(
            f"/v2/{'a' * 255}/tags/list", TagList(Name("a" * 255), Window()), id="R06-255"
        ),
    ],
)
def test_targets_that_are_served(target: str, route: Route) -> None:
    assert parse_target(target) == route


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        pytest.param("/", 404, "UNSUPPORTED", id="root"),
        pytest.param("*", 404, "UNSUPPORTED", id="asterisk"),
        pytest.param("http://x/v2/", 404, "UNSUPPORTED", id="absolute-form"),
        pytest.param("/v1/", 404, "UNSUPPORTED", id="v1"),
        pytest.param("//v2/", 404, "UNSUPPORTED", id="W02-double-slash-at-the-root"),
        pytest.param("/v2//tags/list", 404, "UNSUPPORTED", id="W02-empty-name"),
        pytest.param("/v2/a//b/tags/list", 400, "NAME_INVALID", id="W02-double-slash"),
        pytest.param("/v2/../etc/manifests/x", 400, "NAME_INVALID", id="W02-dot-dot"),
        pytest.param("/v2/..%2fetc/manifests/x", 400, "NAME_INVALID", id="W02-escaped-slash"),
        pytest.param("/v2/%2e%2e/manifests/x", 400, "NAME_INVALID", id="W02-escaped-dots"),
        pytest.param("/v2/a%00/manifests/x", 400, "NAME_INVALID", id="W02-escaped-nul"),
        pytest.param(f"/v2/{'a/' * 32000}manifests/x", 400, "NAME_INVALID", id="W02-64-KB"),
        pytest.param(f"/v2/{'a' * 256}/tags/list", 400, "NAME_INVALID", id="R06-256"),
        pytest.param("/v2/UPPER/manifests/x", 400, "NAME_INVALID", id="R03"),
        pytest.param("/v2/a/manifests/.x", 404, "MANIFEST_UNKNOWN", id="R08"),
        pytest.param(f"/v2/a/manifests/{'t' * 129}", 404, "MANIFEST_UNKNOWN", id="R07"),
        pytest.param("/v2/a/manifests/..%2f..%2fx", 404, "MANIFEST_UNKNOWN", id="W02-tag"),
        pytest.param("/v2/a/manifests/sha256:abc", 400, "DIGEST_INVALID", id="R20-manifest"),
        pytest.param("/v2/a/blobs/sha256:abc", 400, "DIGEST_INVALID", id="R20-blob"),
        pytest.param(f"/v2/a/blobs/sha256:{D.hex.upper()}", 400, "DIGEST_INVALID", id="R21"),
        pytest.param("/v2/a/blobs/sha256:..%2f..%2fetc", 400, "DIGEST_INVALID", id="R23"),
        pytest.param("/v2/a/blobs/latest", 400, "DIGEST_INVALID", id="blob-by-tag"),
        pytest.param("/v2/a/blobs/uploads/", 404, "UNSUPPORTED", id="uploads"),
        pytest.param("/v2/a/referrers/latest", 400, "DIGEST_INVALID", id="W08-referrers-of-a-tag"),
        pytest.param("/v2/a/manifests/x?ns=../etc", 400, "NAME_INVALID", id="W02-namespace"),
        pytest.param("/v2/_catalog?ns=a%00.b", 400, "NAME_INVALID", id="W02-catalog-namespace"),
        pytest.param("/v2/_catalog?n=-1", 400, "PAGINATION_NUMBER_INVALID", id="catalog-n"),
        pytest.param("/v2/a/tags/list?n=-1", 400, "PAGINATION_NUMBER_INVALID", id="n-negative"),
        pytest.param("/v2/a/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID", id="n-no-number"),
        pytest.param("/v2/a/tags/list?n=٣", 400, "PAGINATION_NUMBER_INVALID", id="n-arabic"),
        pytest.param(
            "/v2/a/tags/list?" + "&".join(f"n{i}=1" for i in range(99)),
            400,
            "UNSUPPORTED",
            id="too-many-parameters",
        ),
    ],
)
def test_targets_that_are_refused(target: str, status: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_target(target)
    assert (refused.value.status, refused.value.code) == (status, code)


@given(st.text("/v2.%abAB:-_?=&manifestblobtags\x00", max_size=60).map(lambda rest: "/v2/" + rest))
def test_W02_no_name_ever_leaves_the_grammar(target: str) -> None:
    try:
        route = parse_target(target)
    except Refused:
        return
    if isinstance(route, ManifestAt | BlobAt | TagList | Referrers):
        assert ".." not in route.name.path
        assert "//" not in route.name.path
        assert not route.name.path.startswith("/")
        assert "%" not in route.name.path
