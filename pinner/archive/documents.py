"""The names of an archive: index.json for readers of OCI layouts, manifest.json for docker (pure).

index.json names only what the archive has all of, since `ctr images import --all-platforms`, which
kind uses, fails on an index that lacks a member. So a name stands for

1. the index that it stands for in the registry, where every member of it goes along;
2. else the manifest, where one platform goes along;
3. else an index of the platforms that go along, made here: `crane index filter` makes the same.

A name by digest stands only for what has the digest: in the other two cases, where an index is what
has it, each manifest is named by its own digest instead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.archive.model import blob_path, descriptor_of, full_reference
from pinner.oci.digest import Digest
from pinner.oci.mediatypes import OCI_INDEX
from pinner.oci.sources import RawManifest
from pinner.store.names import CONTAINERD_NAME, REF_NAME, platform_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.archive.model import Image
    from pinner.oci.descriptor import Descriptor

_SCHEMA: Final = 2
LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """What index.json names for an image.

    Attributes:
        entries: a name and what it stands for; several only for a name by digest.
        made: the index that was made for it; None where there is none.
    """

    entries: tuple[tuple[str, Descriptor], ...]
    made: RawManifest | None = None


def roots_of(image: Image) -> Roots:
    """What index.json names for an image."""
    if image.index is not None and image.is_whole:
        return Roots(entries=((image.name, descriptor_of(image.index[0])),))
    reference = full_reference(image.name)
    if reference is not None and reference.digest is not None:
        return Roots(
            entries=tuple(
                (f"{reference.repository}@{member.raw.digest}", member.descriptor)
                for member in image.members
            )
        )
    if len(image.members) == 1:
        return Roots(entries=((image.name, image.members[0].descriptor),))
    made = _filtered(image)
    return Roots(entries=((image.name, descriptor_of(made)),), made=made)


def index_json(entries: Iterable[tuple[str, Descriptor]]) -> bytes:
    """The file, sorted by name."""
    return _dumps(
        {
            "schemaVersion": _SCHEMA,
            "mediaType": OCI_INDEX,
            "manifests": [
                {**_fields(root), "annotations": _names(name)}
                for name, root in sorted(dict(entries).items())
            ],
        }
    )


def manifest_json(images: Iterable[Image]) -> bytes:
    """The file for docker: each image once, with all of its tags; empty where there is none.

    Tags are written out in full: docker shows the short form of them anyhow, and podman would take
    a short one for `localhost/`.
    """
    tags: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for image in images:
        if image.docker is None:
            continue
        manifest = image.docker.manifest
        layers = tuple(blob_path(layer.digest) for layer in manifest.layers)
        known = tags.setdefault((blob_path(manifest.config.digest), layers), [])
        reference = full_reference(image.name)
        if reference is not None and reference.tag is not None and reference.digest is None:
            known.append(str(reference))
    entries = [
        {"Config": config, "RepoTags": sorted(names) or None, "Layers": list(layers)}
        for (config, layers), names in sorted(tags.items(), key=_by_tags)
    ]
    return _dumps(entries) if entries else b""


def _filtered(image: Image) -> RawManifest:
    media_type = image.index[0].media_type if image.index is not None else OCI_INDEX
    members = sorted(
        image.members, key=lambda member: (str(member.platform), str(member.raw.digest))
    )
    data = _dumps(
        {
            "schemaVersion": _SCHEMA,
            "mediaType": media_type,
            "manifests": [
                {**_fields(member.descriptor), "platform": platform_fields(member.platform)}
                for member in members
                if member.platform is not None
            ],
        }
    )
    return RawManifest(media_type=media_type, digest=Digest.of(data), data=data)


def _by_tags(
    item: tuple[tuple[str, tuple[str, ...]], list[str]],
) -> tuple[bool, list[str], tuple[str, tuple[str, ...]]]:
    """Sorts images by their tags, those without behind: `docker load` tells of them in order."""
    content, names = item
    return not names, sorted(names), content


def _names(name: str) -> dict[str, str]:
    # containerd takes its own annotation for a full reference, which another tool's name is not.
    own = {CONTAINERD_NAME: name} if full_reference(name) is not None else {}
    return {**own, REF_NAME: name}


def _fields(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }


def _dumps(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")
