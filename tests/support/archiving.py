"""Images for archives: as values, and in a store.

found = built("linux/amd64", b"lower", b"upper")     # one platform's image
put(store, found)                                    # with its config and layers
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.archive import Member
from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, Manifest, parse_manifest
from pinner.oci.platform import Platform
from pinner.oci.sources import RawManifest
from support.storing import describe, fill

if TYPE_CHECKING:
    from pinner.store.layout import Store

ATTESTATION: Final = {
    "mediaType": mediatypes.OCI_MANIFEST,
    "digest": f"sha256:{'a' * 64}",
    "size": 7,
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """One platform's image with all of its bytes."""

    member: Member
    blobs: tuple[bytes, ...]

    @property
    def raw(self) -> RawManifest:
        return self.member.raw

    @property
    def digest(self) -> Digest:
        return self.member.raw.digest

    @property
    def entry(self) -> dict[str, Any]:
        """How an index lists it."""
        platform = self.member.platform
        assert platform is not None
        described = {"os": platform.os, "architecture": platform.architecture}
        if platform.variant:
            described["variant"] = platform.variant
        return {**_plain(self.raw), "platform": described}


def built(
    platform: str, *layers: bytes, media_type: str = mediatypes.OCI_LAYER_GZIP, config: bytes = b""
) -> Built:
    """An image of these layers; with another `config` than an image's, an artifact."""
    found = Platform.parse(platform)
    described = {"os": found.os, "architecture": found.architecture, "variant": found.variant}
    digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
    own = json.dumps({**described, "rootfs": {"type": "layers", "diff_ids": digests}}).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_MANIFEST,
        "config": _described(config or own, mediatypes.OCI_CONFIG),
        "layers": [_described(layer, media_type) for layer in layers],
    }
    raw = _raw(document)
    manifest = parse_manifest(raw)
    assert isinstance(manifest, Manifest)
    member = Member(
        platform=None if config else found, raw=raw, manifest=manifest, loads=not config
    )
    return Built(member=member, blobs=(config or own, *layers))


def index_over(*entries: dict[str, Any]) -> tuple[RawManifest, Index]:
    """An index that lists these."""
    raw = _raw({"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": list(entries)})
    index = parse_manifest(raw)
    assert isinstance(index, Index)
    return raw, index


def put(store: Store, image: Built, *, but: bytes | None = None) -> None:
    """Store an image, all but one of its blobs."""
    for data in image.blobs:
        if data != but and not store.has(Digest.of(data)):
            fill(store, data)
    store.put(image.digest, image.raw.data)


def _raw(document: dict[str, Any]) -> RawManifest:
    data = json.dumps(document).encode()
    return RawManifest(media_type=document["mediaType"], digest=Digest.of(data), data=data)


def _plain(raw: RawManifest) -> dict[str, Any]:
    return {"mediaType": raw.media_type, "digest": str(raw.digest), "size": len(raw.data)}


def _described(data: bytes, media_type: str) -> dict[str, Any]:
    described = describe(data, media_type)
    return {
        "mediaType": media_type,
        "digest": str(described.digest),
        "size": described.size,
    }
