"""Manifests and indexes written by hand, so that any part of them can be wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from support.registry_content import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.registry_content import Content

AMD64: Final = {"os": "linux", "architecture": "amd64"}


def blob(content: Content, name: str, data: bytes, kind: str = OCI_LAYER) -> dict[str, Any]:
    """Let the registry hold a blob; its descriptor."""
    return {"mediaType": kind, "digest": content.add_blob(name, data), "size": len(data)}


def config(content: Content, name: str, platform: dict[str, str] | None = None) -> dict[str, Any]:
    """An image's config, for linux/amd64 unless `platform` says otherwise."""
    document = {**(platform or AMD64), "rootfs": {"type": "layers", "diff_ids": []}}
    return blob(content, name, json.dumps(document).encode(), OCI_CONFIG)


def manifest(
    content: Content, name: str, layers: Sequence[bytes] = (b"layer",), **fields: Any
) -> dict[str, Any]:
    """An image manifest as a document; `fields` add to it, or take the place of its parts."""
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config(content, name),
        "layers": [blob(content, name, layer) for layer in layers],
        **fields,
    }


def index(*members: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An index as a document."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*members], **fields}


def put(content: Content, name: str, document: Any, *tags: str, **fields: Any) -> dict[str, Any]:
    """Let the registry hold a document under these tags; its descriptor, for linux/amd64.

    What is no object goes in as it is: bytes, with OCI_MANIFEST as its type.
    """
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    kind = OCI_MANIFEST if isinstance(document, bytes) else document["mediaType"]
    digest = content.add_manifest(name, data, kind, tags)
    return {
        "mediaType": kind,
        "digest": digest,
        "size": len(data),
        "platform": AMD64,
        **fields,
    }
