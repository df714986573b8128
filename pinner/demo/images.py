"""Images made from files: layers, configs, manifests and indexes with their real digests.

    files -> make_layer -> make_image -> make_index        each result holds every byte below it

Both flavours that registries serve: OCI's and docker's schema 2. Pure: nothing is written, and the
same files make the same digests everywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pinner.demo.archive import Tree, gzip, tar
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.mediatypes import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
)
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinner.oci.platform import Platform

_IN_TOTO: Final = "application/vnd.in-toto+json"
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Flavour:
    """The media types of one family of formats."""

    index: str
    manifest: str
    config: str
    layer: str


OCI: Final = Flavour(OCI_INDEX, OCI_MANIFEST, OCI_CONFIG, OCI_LAYER_GZIP)
DOCKER: Final = Flavour(DOCKER_LIST, DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER_GZIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The bytes of a layer, and the digest of what they unpack to."""

    data: bytes
    diff_id: Digest

    @property
    def digest(self) -> Digest:
        """The digest of the bytes as they are fetched."""
        return Digest.of(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A manifest with everything that it needs, or an index with all its images.

    Attributes:
        manifest: what a tag would name.
        blobs: every byte string below the manifest, by digest, manifests of an index included.
        platform: of one image; None of an index and of an attestation.
        annotations: what an index says of it.
        images: what an index holds, in its order; empty for one image.
    """

    manifest: RawManifest
    blobs: Mapping[Digest, bytes]
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    images: tuple[Image, ...] = ()

    @property
    def digest(self) -> Digest:
        """The digest of the manifest or index."""
        return self.manifest.digest

    @property
    def descriptor(self) -> Descriptor:
        """What an index, or a store, says of it."""
        return Descriptor(
            media_type=self.manifest.media_type,
            digest=self.manifest.digest,
            size=len(self.manifest.data),
            platform=self.platform,
            annotations=self.annotations,
        )

    def everything(self) -> Mapping[Digest, bytes]:
        """All that a registry holds for it: what is below, then the manifest itself."""
        return {**self.blobs, self.digest: self.manifest.data}


def make_layer(tree: Tree) -> Layer:
    """A gzipped layer of these files."""
    plain = tar(tree)
    return Layer(data=gzip(plain), diff_id=Digest.of(plain))


def make_image(
    platform: Platform,
    layers: Sequence[Layer],
    *,
    flavour: Flavour = OCI,
    created: str = "1970-01-01T00:00:00Z",
    labels: Mapping[str, str] = _NOTHING,
    command: Sequence[str] = (),
) -> Image:
    """An image for one platform.

    Args:
        platform: what it runs on.
        layers: the lowest first; shared by value, so one layer may be in many images.
        flavour: OCI or DOCKER.
        created: RFC 3339, in the config.
        labels: of the config.
        command: what it runs.
    """
    config = {
        "created": created,
        **_platform(platform),
        "config": {"Cmd": list(command) or None, "Labels": dict(labels)},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        "history": [{"created": created, "created_by": "pinner demo"} for _ in layers],
    }
    return _assemble(
        flavour,
        config=config,
        layers=[(flavour.layer, layer.data) for layer in layers],
        platform=platform,
    )


def make_attestation(image: Image, statement: Mapping[str, Any]) -> Image:
    """What BuildKit puts beside an image: an in-toto statement about its digest.

    An index lists it for the platform `unknown/unknown`; it is no image.
    """
    subject = {"name": "demo", "digest": {image.digest.algorithm: image.digest.hex}}
    document = _json({**statement, "subject": [subject]})
    config = {
        "architecture": "unknown",
        "os": "unknown",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(document))]},
    }
    return _assemble(
        OCI,
        config=config,
        layers=[(_IN_TOTO, document)],
        annotations={
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": str(image.digest),
        },
    )


def make_index(images: Iterable[Image], *, flavour: Flavour = OCI) -> Image:
    """An index of images for several platforms, and of their attestations."""
    held = tuple(images)
    document = {
        "schemaVersion": 2,
        "mediaType": flavour.index,
        "manifests": [_listed(image) for image in held],
    }
    blobs: dict[Digest, bytes] = {}
    for image in held:
        blobs |= image.everything()
    return Image(manifest=_raw(flavour.index, document), blobs=blobs, images=held)


def _assemble(
    flavour: Flavour,
    *,
    config: Mapping[str, Any],
    layers: Sequence[tuple[str, bytes]],
    platform: Platform | None = None,
    annotations: Mapping[str, str] = _NOTHING,
) -> Image:
    config_data = _json(config)
    document = {
        "schemaVersion": 2,
        "mediaType": flavour.manifest,
        "config": _described(flavour.config, config_data),
        "layers": [_described(media_type, data) for media_type, data in layers],
    }
    return Image(
        manifest=_raw(flavour.manifest, document),
        blobs={Digest.of(data): data for data in (*(data for _, data in layers), config_data)},
        platform=platform,
        annotations=annotations,
    )


def _listed(image: Image) -> dict[str, Any]:
    platform = (
        _platform(image.platform)
        if image.platform
        else {"architecture": "unknown", "os": "unknown"}
    )
    listed = {**_described(image.manifest.media_type, image.manifest.data), "platform": platform}
    return {**listed, "annotations": dict(image.annotations)} if image.annotations else listed


def _platform(platform: Platform) -> dict[str, Any]:
    values = {
        "architecture": platform.architecture,
        "os": platform.os,
        "variant": platform.variant,
        "os.version": platform.os_version,
        "os.features": list(platform.os_features),
    }
    return {key: value for key, value in values.items() if value}


def _described(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data)}


def _raw(media_type: str, document: Mapping[str, Any]) -> RawManifest:
    data = _json(document)
    return RawManifest(media_type=media_type, digest=Digest.of(data), data=data)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
