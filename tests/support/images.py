"""Small real images for tests, by the demo's builder, and their way into a registry in memory.

    push(source, "debian:bookworm", index(image("linux/amd64", layer("base", 5_000))))

Digests, sizes and media types are real; what layers hold is noise that nothing compresses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.demo.archive import noise
from pinner.demo.images import (
    DOCKER,
    OCI,
    Flavour,
    Image,
    Layer,
    make_attestation,
    make_image,
    make_index,
    make_layer,
)
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference

if TYPE_CHECKING:
    from pinner.oci.memory import MemorySource
    from pinner.oci.sources import RawManifest

__all__ = [
    "DOCKER",
    "OCI",
    "Flavour",
    "Image",
    "Layer",
    "attested",
    "image",
    "index",
    "layer",
    "make_image",
    "make_index",
    "make_layer",
    "push",
]


def layer(seed: str, size: int = 1_000) -> Layer:
    """A layer of one file of `size` bytes; its own size is up to 15 kB more.

    Equal arguments make one layer, so that images can share it.
    """
    return make_layer({f"srv/{seed}": noise(seed, size)})


def image(
    platform: str = "linux/amd64",
    *layers: Layer,
    flavour: Flavour = OCI,
    created: str = "2026-01-02T03:04:05Z",
) -> Image:
    """An image for one platform; of one layer of its own where none are given."""
    return make_image(
        Platform.parse(platform), layers or (layer(platform),), flavour=flavour, created=created
    )


def index(*images: Image | str, flavour: Flavour = OCI) -> Image:
    """An index of images; a platform stands for an image of its own."""
    held = [image(one, flavour=flavour) if isinstance(one, str) else one for one in images]
    return make_index(held, flavour=flavour)


def attested(*platforms: str) -> Image:
    """An index as BuildKit makes it: images, then an attestation for each."""
    images = [image(platform) for platform in platforms]
    statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "made-up"}
    return make_index([*images, *(make_attestation(one, statement) for one in images)])


def push(source: MemorySource, reference: str, pushed: Image) -> RawManifest:
    """Let the registry serve an image, or an index with all its images, as `reference`."""
    named = Reference.parse(reference)
    for one in pushed.images:
        push(source, str(named.with_tag(None)), one)
    for data in pushed.blobs.values():
        source.push_blob(named.repository, data)
    manifest = pushed.manifest
    return source.push(named, manifest.data, media_type=manifest.media_type)
