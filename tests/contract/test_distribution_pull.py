"""What a registry promises whoever pulls (distribution-spec 1.1), asked of `pinner serve`.

The checks of the specification's conformance suite that need no push: Pull, Content Discovery and
errors. The suite itself is a Go program; `OCI_API_PUSH=false` is how it is run against this.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor
from support.images import DOCKER, image, index
from support.serving import fill, pinner_serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Answer, PinnerServe

NAME = "ghcr.io/acme/app"
TAGS = [f"tag{number}" for number in range(1, 6)]
IMAGES = {
    **{f"{NAME}:{tag}": index("linux/amd64", "linux/arm64") for tag in TAGS[:1]},
    **{f"{NAME}:{tag}": image("linux/amd64") for tag in TAGS[1:]},
    f"{NAME}/docker:list": index("linux/amd64", flavour=DOCKER),
    f"{NAME}/docker:lone": image("linux/amd64", flavour=DOCKER),
}
SUBJECT = IMAGES[f"{NAME}:tag1"]
ABSENT = Digest.of(b"absent")
SHA512 = Digest("sha512", hashlib.sha512(b"of another algorithm").hexdigest())
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def artifact(kind: str | None, config: str) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": config, "digest": str(Digest.of(b"{}")), "size": 2},
        "layers": [],
        "subject": {
            "mediaType": OCI_INDEX,
            "digest": str(SUBJECT.digest),
            "size": len(SUBJECT.manifest.data),
        },
        "annotations": {"org.opencontainers.conformance": kind or config},
    }
    if kind:
        document["artifactType"] = kind
    return json.dumps(document).encode()


SIGNATURE = artifact("application/vnd.food.signature", "application/vnd.oci.empty.v1+json")
BY_CONFIG = artifact(None, "application/vnd.food.sbom")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PinnerServe]:
    folder = tmp_path_factory.mktemp("conformance")
    fill(folder / "store", IMAGES)
    with Store.open(folder / "store") as store:
        store.put(SHA512, b"of another algorithm")
        for data in (SIGNATURE, BY_CONFIG):
            name = f"{NAME}@{Digest.of(data)}"
            described = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data))
            store.put(Digest.of(data), data)
            store.name_images([NamedDescriptor(name=name, descriptor=described)])
    with pinner_serve(folder) as server:
        yield server


def assert_error(answer: Answer, status: int, *codes: str) -> None:
    """An error as the specification has it: one or more, each with a code that it lists."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    errors = answer.document["errors"]
    assert errors
    assert all(isinstance(error["message"], str) for error in errors)
    assert {error["code"] for error in errors} == set(codes)


def manifests() -> list[Any]:
    return [pytest.param(name, one, id=name) for name, one in IMAGES.items()]


class TestPull:
    def test_support_is_determined_by_the_root(self, registry: PinnerServe) -> None:
        assert registry.ask("/v2/").status == 200

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_nonexistent_blob(self, registry: PinnerServe, method: str) -> None:
        assert registry.ask(f"/v2/{NAME}/blobs/{ABSENT}", method).status == 404

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_existing_blobs(self, registry: PinnerServe, method: str) -> None:
        blobs = {**SUBJECT.images[0].blobs, SHA512: b"of another algorithm"}
        for digest, data in blobs.items():
            answer = registry.ask(f"/v2/{NAME}/blobs/{digest}", method)
            assert answer.status == 200
            assert answer.headers["docker-content-digest"] == str(digest)
            assert answer.headers["content-length"] == str(len(data))
            assert answer.body == (data if method == "GET" else b"")

    def test_a_range_of_a_blob(self, registry: PinnerServe) -> None:
        answer = registry.ask(f"/v2/{NAME}/blobs/{SHA512}", range="bytes=3-9")
        assert (answer.status, answer.body) == (206, b"another")
        assert answer.headers["content-range"] == "bytes 3-9/20"

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("reference", [".INVALID_MANIFEST_NAME", "absent", str(ABSENT)])
    def test_a_nonexistent_manifest(
        self, registry: PinnerServe, method: str, reference: str
    ) -> None:
        assert registry.ask(f"/v2/{NAME}/manifests/{reference}", method).status == 404

    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize(("name", "pushed"), manifests())
    def test_a_manifest_by_tag_and_by_digest(
        self, registry: PinnerServe, method: str, name: str, pushed: Any
    ) -> None:
        repository, _, tag = name.partition(":")
        for reference in (tag, str(pushed.digest)):
            answer = registry.ask(f"/v2/{repository}/manifests/{reference}", method)
            assert answer.status == 200
            assert answer.headers["docker-content-digest"] == str(pushed.digest)
            assert answer.headers["content-type"] == pushed.manifest.media_type
            assert answer.headers["content-length"] == str(len(pushed.manifest.data))
            assert answer.body == (pushed.manifest.data if method == "GET" else b"")

    def test_the_manifests_of_an_index(self, registry: PinnerServe) -> None:
        for one in SUBJECT.images:
            answer = registry.ask(f"/v2/{NAME}/manifests/{one.digest}")
            assert answer.body == one.manifest.data


class TestErrors:
    @pytest.mark.parametrize(
        ("target", "status", "code"),
        [
            (f"/v2/{NAME}/manifests/sha256:totallywrong", 400, "DIGEST_INVALID"),
            (f"/v2/{NAME}/blobs/sha256:totallywrong", 400, "DIGEST_INVALID"),
            ("/v2/UPPER/tags/list", 400, "NAME_INVALID"),
            (f"/v2/{NAME}/absent/tags/list", 404, "NAME_UNKNOWN"),
            (f"/v2/{NAME}/manifests/absent", 404, "MANIFEST_UNKNOWN"),
            (f"/v2/{NAME}/blobs/{ABSENT}", 404, "BLOB_UNKNOWN"),
        ],
    )
    def test_an_error_has_the_specifications_form(
        self, registry: PinnerServe, target: str, status: int, code: str
    ) -> None:
        assert_error(registry.ask(target), status, code)

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            ("POST", f"/v2/{NAME}/blobs/uploads/"),
            ("PUT", f"/v2/{NAME}/manifests/tag1"),
            ("DELETE", f"/v2/{NAME}/manifests/tag1"),
            ("DELETE", f"/v2/{NAME}/blobs/{ABSENT}"),
        ],
    )
    def test_W01_what_is_not_supported_is_said_so(
        self, registry: PinnerServe, method: str, target: str
    ) -> None:
        assert_error(registry.ask(target, method), 405, "UNSUPPORTED")


class TestDiscovery:
    def test_the_list_of_tags(self, registry: PinnerServe) -> None:
        answer = registry.ask(f"/v2/{NAME}/tags/list")
        assert answer.headers["content-type"] == "application/json"
        assert answer.document == {"name": NAME, "tags": TAGS}

    def test_a_list_that_is_limited(self, registry: PinnerServe) -> None:
        answer = registry.ask(f"/v2/{NAME}/tags/list?n=3")
        assert answer.document["tags"] == TAGS[:3]
        assert answer.headers["link"] == f'</v2/{NAME}/tags/list?n=3&last=tag3>; rel="next"'

    def test_a_list_that_starts_behind_a_tag(self, registry: PinnerServe) -> None:
        answer = registry.ask(f"/v2/{NAME}/tags/list?n=3&last=tag3")
        assert answer.document["tags"] == TAGS[3:]
        assert "link" not in answer.headers

    def test_a_list_of_none(self, registry: PinnerServe) -> None:
        assert registry.ask(f"/v2/{NAME}/tags/list?n=0").document["tags"] == []

    def test_W08_referrers_of_what_is_not_there(self, registry: PinnerServe) -> None:
        answer = registry.ask(f"/v2/{NAME}/referrers/{ABSENT}")
        assert answer.status == 200
        assert answer.headers["content-type"] == OCI_INDEX
        assert answer.document == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}

    def test_W08_all_referrers(self, registry: PinnerServe) -> None:
        answer = registry.ask(f"/v2/{NAME}/referrers/{SUBJECT.digest}")
        assert answer.headers["content-type"] == OCI_INDEX
        assert {one["digest"]: one["artifactType"] for one in answer.document["manifests"]} == {
            str(Digest.of(SIGNATURE)): "application/vnd.food.signature",
            str(Digest.of(BY_CONFIG)): "application/vnd.food.sbom",
        }
        for one in answer.document["manifests"]:
            served = registry.ask(f"/v2/{NAME}/manifests/{one['digest']}")
            assert served.headers["content-type"] == one["mediaType"]
            assert len(served.body) == one["size"]
            assert served.document["annotations"] == one["annotations"]

    @pytest.mark.parametrize(
        ("kind", "found"),
        [
            ("application/vnd.food.signature", [str(Digest.of(SIGNATURE))]),
            ("application/vnd.food.sbom", [str(Digest.of(BY_CONFIG))]),
            ("application/vnd.food.other", []),
        ],
    )
    def test_W08_referrers_of_one_type(
        self, registry: PinnerServe, kind: str, found: list[str]
    ) -> None:
        answer = registry.ask(f"/v2/{NAME}/referrers/{SUBJECT.digest}?artifactType={kind}")
        assert [one["digest"] for one in answer.document["manifests"]] == found
        assert answer.headers["oci-filters-applied"] == "artifactType"
