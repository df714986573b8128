from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from pinner.demo.images import (
    DOCKER,
    OCI,
    Flavour,
    Image,
    make_attestation,
    make_image,
    make_index,
    make_layer,
)
from pinner.oci.config import parse_config
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, Manifest, parse_manifest, select
from pinner.oci.platform import Platform

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
BASE = make_layer({"etc/base": b"base"})
TOP = make_layer({"etc/top": b"top"})


def manifest_of(image: Image) -> Manifest:
    parsed = parse_manifest(image.manifest)
    assert isinstance(parsed, Manifest)
    return parsed


def index_of(image: Image) -> Index:
    parsed = parse_manifest(image.manifest)
    assert isinstance(parsed, Index)
    return parsed


def raw(image: Image) -> Any:
    return json.loads(image.manifest.data)


@pytest.mark.parametrize("flavour", [OCI, DOCKER], ids=["oci", "docker"])
def test_an_image_is_one_that_pinner_reads(flavour: Flavour) -> None:
    image = make_image(AMD64, [BASE, TOP], flavour=flavour, created="2025-01-02T03:04:05Z")
    manifest = manifest_of(image)
    assert manifest.media_type == flavour.manifest
    assert [layer.digest for layer in manifest.layers] == [BASE.digest, TOP.digest]
    config = parse_config(image.blobs[manifest.config.digest])
    assert config.platform == AMD64
    assert config.diff_ids == (BASE.diff_id, TOP.diff_id)


def test_every_blob_is_there_with_its_digest_and_size() -> None:
    image = make_image(AMD64, [BASE, TOP])
    manifest = manifest_of(image)
    for descriptor in (manifest.config, *manifest.layers):
        data = image.blobs[descriptor.digest]
        assert (Digest.of(data), len(data)) == (descriptor.digest, descriptor.size)
    assert image.everything().keys() - image.blobs.keys() == {image.digest}


def test_a_layer_unpacks_to_its_diff_id() -> None:
    assert Digest.of(gzip.decompress(BASE.data)) == BASE.diff_id


@pytest.mark.parametrize("flavour", [OCI, DOCKER], ids=["oci", "docker"])
def test_an_index_of_two_platforms(flavour: Flavour) -> None:
    images = [make_image(platform, [BASE], flavour=flavour) for platform in (AMD64, ARM64)]
    index = make_index(images, flavour=flavour)
    assert index.manifest.media_type == flavour.index
    assert select(index_of(index), ARM64).digest == images[1].digest
    assert all(image.digest in index.blobs for image in images)
    assert BASE.digest in index.blobs


def test_an_attestation_is_no_image() -> None:
    image = make_image(AMD64, [BASE])
    attestation = make_attestation(image, {"predicateType": "https://slsa.dev/provenance/v0.2"})
    index = make_index([image, attestation])
    assert [found.digest for found in index_of(index).images()] == [image.digest]
    listed = raw(index)["manifests"][1]
    assert listed["platform"] == {"architecture": "unknown", "os": "unknown"}
    assert listed["annotations"]["vnd.docker.reference.digest"] == str(image.digest)
    (statement,) = raw(attestation)["layers"]
    document = json.loads(attestation.blobs[Digest.parse(statement["digest"])])
    assert document["subject"][0]["digest"] == {"sha256": image.digest.hex}


@pytest.mark.parametrize(
    ("platform", "listed"),
    [
        ("linux/arm/v7", {"os": "linux", "architecture": "arm", "variant": "v7"}),
        (
            "windows(10.0.17763.1)/amd64",
            {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763.1"},
        ),
    ],
)
def test_what_an_index_says_of_a_platform(platform: str, listed: dict[str, str]) -> None:
    index = make_index([make_image(Platform.parse(platform), [BASE])])
    assert raw(index)["manifests"][0]["platform"] == listed


def test_the_same_files_make_the_same_digest() -> None:
    assert make_image(AMD64, [BASE]).digest == make_image(AMD64, [BASE]).digest
    assert make_image(AMD64, [BASE]).digest != make_image(ARM64, [BASE]).digest


def test_labels_and_command_are_in_the_config() -> None:
    image = make_image(AMD64, [BASE], labels={"a": "b"}, command=["/bin/true"])
    config = json.loads(image.blobs[manifest_of(image).config.digest])
    assert config["config"] == {"Cmd": ["/bin/true"], "Labels": {"a": "b"}}
