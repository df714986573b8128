"""Manifests and indexes are read as the specification has them, or refused whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pinner.errors import InputError, IntegrityError
from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.manifest import (
    Index,
    MalformedManifest,
    Manifest,
    NoSuchPlatform,
    expand,
    parse_manifest,
    select,
)
from pinner.oci.platform import Platform
from pinner.oci.sources import RawManifest
from support.tables import FIXTURES, params

DIGEST = "sha256:" + "ab" * 32
TYPES = {
    "index": mediatypes.OCI_INDEX,
    "manifest": mediatypes.OCI_MANIFEST,
    "list": mediatypes.DOCKER_LIST,
    "image": mediatypes.DOCKER_MANIFEST,
}


def raw_of(data: bytes, media_type: str) -> RawManifest:
    return RawManifest(media_type=media_type, digest=Digest.of(data), data=data)


def parse(document: Any, media_type: str) -> Manifest | Index:
    return parse_manifest(raw_of(json.dumps(document).encode(), media_type))


def fixture(name: str, media_type: str) -> Manifest | Index:
    return parse_manifest(raw_of((FIXTURES / "manifests" / name).read_bytes(), media_type))


def member(number: int = 0, **fields: Any) -> dict[str, Any]:
    digest = str(Digest.of(str(number).encode()))
    return {"mediaType": mediatypes.OCI_MANIFEST, "digest": digest, "size": number} | fields


def platform(text: str) -> dict[str, str]:
    parsed = Platform.parse(text)
    return {
        "os": parsed.os,
        "os.version": parsed.os_version,
        "architecture": parsed.architecture,
        "variant": parsed.variant,
    }


def index_of(*members: dict[str, Any]) -> Index:
    document = {"schemaVersion": 2, "manifests": members}
    parsed = parse(document, mediatypes.OCI_INDEX)
    assert isinstance(parsed, Index)
    return parsed


def index_for(*platforms: str) -> Index:
    return index_of(*(member(i, platform=platform(text)) for i, text in enumerate(platforms)))


@pytest.fixture
def oci_index() -> Index:
    index = fixture("oci-index.json", mediatypes.OCI_INDEX)
    assert isinstance(index, Index)
    return index


@pytest.fixture
def docker_list() -> Index:
    index = fixture("docker-list.json", mediatypes.DOCKER_LIST)
    assert isinstance(index, Index)
    return index


@pytest.mark.parametrize("row", params("manifests/refused.toml"))
def test_refuses(row: dict[str, Any]) -> None:
    body = row["body"].replace("CONFIG", json.dumps(member())).replace("DIGEST", DIGEST)
    raw = raw_of(body.encode(), TYPES.get(row["type"], row["type"]))
    with pytest.raises(MalformedManifest) as refused:
        parse_manifest(raw)
    message = str(refused.value)
    assert row["says"] in message
    assert str(raw.digest) in message
    assert isinstance(refused.value, IntegrityError)
    assert all(character.isprintable() or character == "\n" for character in message)


def test_M21_attestations_are_no_images(oci_index: Index) -> None:
    assert len(oci_index.manifests) == 16
    assert [str(platform) for platform in oci_index.platforms()] == [
        *("linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64", "linux/386"),
        *("linux/ppc64le", "linux/riscv64", "linux/s390x"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no platform"),
        pytest.param({"platform": None}, id="null"),
        pytest.param({"platform": {}}, id="empty"),
        pytest.param({"platform": {"os": "", "architecture": ""}}, id="empty names"),
        pytest.param({"platform": {"os": "unknown", "architecture": "unknown"}}, id="unknown"),
        pytest.param(
            {
                "platform": {"os": "linux", "architecture": "amd64"},
                "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
            },
            id="annotation alone",
        ),
        pytest.param(
            {
                "platform": {"os": "linux", "architecture": "amd64"},
                "mediaType": "application/vnd.example+json",
            },
            id="not a manifest",
        ),
    ],
)
def test_M21_what_is_no_image(fields: dict[str, Any]) -> None:
    index = index_of(member(1, **fields))
    assert len(index.manifests) == 1
    assert index.images() == ()


def test_M22_the_first_of_two_images_for_one_platform_is_taken(docker_list: Index) -> None:
    first, second = docker_list.manifests[0], docker_list.manifests[3]
    assert first.platform == second.platform == Platform("linux", "amd64")
    assert select(docker_list, Platform("linux", "amd64")) == first
    assert docker_list.duplicates() == (second,)


def test_M22_one_manifest_listed_twice_is_no_duplicate() -> None:
    twice = member(1, platform=platform("linux/amd64"))
    assert index_of(twice, twice).duplicates() == ()


@pytest.mark.parametrize(
    ("offered", "wanted", "taken"),
    [
        pytest.param(["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7", 1, id="M22-variant"),
        pytest.param(["linux/arm64/v8", "linux/arm64"], "linux/arm64", 0, id="M22-null-variant"),
        pytest.param(
            ["windows(10.0.17763.1)/amd64", "windows(10.0.20348.9)/amd64"],
            "windows/amd64",
            1,
            id="M22-newest-version",
        ),
        pytest.param(
            ["windows(10.0.9.1)/amd64", "windows(10.0.10.1)/amd64"],
            "windows/amd64",
            1,
            id="M22-newest-by-number",
        ),
        pytest.param(
            ["windows(10.0.17763.1)/amd64", "windows(10.0.17763.9)/amd64"],
            "windows(10.0.17763.1)/amd64",
            0,
            id="M22-exact-before-newest",
        ),
        pytest.param(
            ["windows(10.0.17763.1)/amd64", "windows/amd64"], "windows/amd64", 1, id="M22-none"
        ),
    ],
)
def test_select(offered: list[str], wanted: str, taken: int) -> None:
    index = index_for(*offered)
    assert select(index, Platform.parse(wanted)) == index.manifests[taken]


def test_select_takes_the_image_that_uses_more_of_the_wanted_features() -> None:
    gpu = {"os": "linux", "architecture": "amd64", "os.features": ["gpu"]}
    index = index_of(member(1, platform=platform("linux/amd64")), member(2, platform=gpu))
    assert select(index, Platform.parse("linux(+gpu+simd)/amd64")) == index.manifests[1]
    assert select(index, Platform.parse("linux/amd64")) == index.manifests[0]


def test_M23_an_absent_platform_lists_what_there_is(oci_index: Index) -> None:
    with pytest.raises(NoSuchPlatform) as refused:
        select(oci_index, Platform.parse("linux/arm/v6"))
    assert isinstance(refused.value, InputError)
    assert refused.value.what == "there is no image for linux/arm/v6"
    (mend,) = refused.value.mend
    assert mend == (
        "there are images for linux/amd64, linux/arm/v5, linux/arm/v7, linux/arm64, linux/386, "
        "linux/ppc64le, linux/riscv64, linux/s390x"
    )


def test_M23_an_index_without_images_says_so() -> None:
    with pytest.raises(NoSuchPlatform, match="it has no image for any platform"):
        select(index_of(member(1)), Platform("linux", "amd64"))


def test_docker_list(docker_list: Index) -> None:
    assert docker_list.media_type == mediatypes.DOCKER_LIST
    assert [str(platform) for platform in docker_list.platforms()] == [
        *("linux/amd64", "linux/arm/v6", "linux/arm64", "windows(10.0.17763.6414)/amd64"),
        *("windows(10.0.20348.2762)/amd64", "windows(10.0.26100.1742)/amd64"),
    ]


def test_oci_manifest() -> None:
    manifest = fixture("oci-manifest.json", mediatypes.OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert manifest.config.media_type == mediatypes.OCI_CONFIG
    assert manifest.config.size == 5321
    assert [layer.size for layer in manifest.layers] == [28231124, 3331831, 13, 0, 28231124]
    assert manifest.annotations["org.opencontainers.image.title"] == "café"


def test_M28_a_layer_that_is_there_twice_is_one_blob() -> None:
    manifest = fixture("oci-manifest.json", mediatypes.OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert [blob.size for blob in manifest.blobs()] == [5321, 28231124, 3331831, 13, 0]


@pytest.mark.parametrize("forgotten", ["urls", "data"])
def test_M20_M29_urls_and_data_of_a_layer_are_not_kept(forgotten: str) -> None:
    manifest = fixture("oci-manifest.json", mediatypes.OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert not any(hasattr(layer, forgotten) for layer in manifest.layers)


def test_M31_layers_of_any_type_are_taken() -> None:
    manifest = fixture("oci-manifest.json", mediatypes.OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert "application/vnd.wasm.content.layer.v1+wasm" in {
        layer.media_type for layer in manifest.layers
    }


def test_docker_manifest() -> None:
    manifest = fixture("docker-manifest.json", mediatypes.DOCKER_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert manifest.config.media_type == mediatypes.DOCKER_CONFIG


@pytest.mark.parametrize("layers", [[], None], ids=["empty", "null"])
def test_M27_no_layers(layers: list[Any] | None) -> None:
    document = {"schemaVersion": 2, "config": member(), "layers": layers}
    manifest = parse(document, mediatypes.OCI_MANIFEST)
    assert isinstance(manifest, Manifest)
    assert manifest.layers == ()


def test_M16_a_lone_surrogate_in_an_annotation_is_no_obstacle() -> None:
    data = json.dumps(
        {"schemaVersion": 2, "manifests": [], "annotations": {"a": "\ud800"}}
    ).encode()
    index = parse_manifest(raw_of(data, mediatypes.OCI_INDEX))
    assert index.annotations == {"a": "\ud800"}


def test_annotations_cannot_be_changed() -> None:
    index = index_of(member(1, annotations={"a": "b"}))
    with pytest.raises(TypeError):
        index.manifests[0].annotations["a"] = "c"  # type: ignore[index] # what is shown to fail


@pytest.mark.parametrize(("size", "ok"), [(4 * 1024 * 1024, True), (4 * 1024 * 1024 + 1, False)])
def test_M17_a_manifest_has_at_most_4_MiB(size: int, ok: bool) -> None:  # noqa: FBT001 - expected
    data = b'{"schemaVersion":2,"manifests":[]}'
    raw = raw_of(data.ljust(size), mediatypes.OCI_INDEX)
    if ok:
        assert parse_manifest(raw) == index_of()
    else:
        with pytest.raises(MalformedManifest, match="it has 4194305 bytes, more than 4194304"):
            parse_manifest(raw)


def test_M18_an_index_has_at_most_512_manifests() -> None:
    assert len(index_of(*map(member, range(512))).manifests) == 512
    with pytest.raises(MalformedManifest, match="manifests has 513 elements, more than 512"):
        index_of(*map(member, range(513)))


def test_M18_a_manifest_has_at_most_1024_layers() -> None:
    document = {"schemaVersion": 2, "config": member(), "layers": [member()] * 1025}
    with pytest.raises(MalformedManifest, match="layers has 1025 elements, more than 1024"):
        parse(document, mediatypes.OCI_MANIFEST)


def test_M18_a_platform_has_at_most_64_features() -> None:
    crowded = {"os": "linux", "architecture": "amd64", "os.features": ["x"] * 65}
    with pytest.raises(MalformedManifest, match="more than 64"):
        index_of(member(1, platform=crowded))


class Nested:
    """Serves indexes by digest, and remembers which were asked for."""

    def __init__(self) -> None:
        self.raws: dict[Digest, RawManifest] = {}

    def add(self, document: Any, media_type: str = mediatypes.OCI_INDEX) -> dict[str, Any]:
        raw = raw_of(json.dumps(document).encode(), media_type)
        self.raws[raw.digest] = raw
        return {"mediaType": mediatypes.OCI_INDEX, "digest": str(raw.digest), "size": len(raw.data)}

    def index(self, *members: dict[str, Any]) -> dict[str, Any]:
        return self.add({"schemaVersion": 2, "manifests": members})

    def expanded(self, *members: dict[str, Any]) -> Index:
        return expand(index_of(*members), lambda descriptor: self.raws[descriptor.digest])


def test_M19_an_index_within_an_index_gives_way_to_its_members() -> None:
    nested = Nested()
    inner = nested.index(member(1, platform=platform("linux/arm64")))
    index = nested.expanded(member(2, platform=platform("linux/amd64")), inner)
    assert [str(platform) for platform in index.platforms()] == ["linux/amd64", "linux/arm64"]


def test_M19_an_index_that_is_not_nested_stays_and_nothing_is_asked(oci_index: Index) -> None:
    assert expand(oci_index, lambda _: pytest.fail("asked")) == oci_index


def test_M19_a_third_level_is_refused() -> None:
    nested = Nested()
    with pytest.raises(MalformedManifest, match="has an index in it"):
        nested.expanded(nested.index(nested.index(member(1))))


def test_M19_a_nested_index_that_is_a_manifest_is_refused() -> None:
    nested = Nested()
    image = {"schemaVersion": 2, "config": member(), "layers": []}
    with pytest.raises(MalformedManifest, match="was said to be an index"):
        nested.expanded(nested.add(image, mediatypes.OCI_MANIFEST))


def test_M18_nested_indexes_have_at_most_512_manifests_together() -> None:
    nested = Nested()
    inner = [nested.index(*map(member, range(start, start + 300))) for start in (0, 300)]
    with pytest.raises(MalformedManifest, match="more than 512 manifests"):
        nested.expanded(*inner)
