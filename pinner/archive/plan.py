"""What an archive consists of, byte for byte, apart from the blobs' own bytes (pure).

    blobs/<algorithm>/<hex>  …      sorted; each blob once, however many images share it
    index.json                      what OCI's readers find images by
    manifest.json                   the same for docker
    oci-layout

The names come last, so that what was cut short has none. The same images give the same bytes,
whatever order they were named in.

index.json names only what the archive has all of, since `ctr images import --all-platforms`, which
kind uses, fails on an index that lacks a member. So a name stands for

1. the index that it stands for in the registry, where every member of it goes along;
2. else the manifest, where one platform goes along;
3. else an index of the platforms that go along, made here: `crane index filter` makes the same.

The registry's own index goes along as a blob in any case, so that its digest can be checked, and
`pinner sync --offline` finds it in the unpacked archive. A name by digest stands only for what has
the digest: in the third case, and in the second where an index is what has it, each manifest is
named by its own digest instead.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.archive.model import descriptor_of, full_reference
from pinner.archive.tar import END, header, padded
from pinner.errors import InputError
from pinner.oci.digest import Digest
from pinner.oci.mediatypes import OCI_INDEX
from pinner.oci.sources import RawManifest
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.archive.model import Image, Member
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.platform import Platform

_REF_NAME: Final = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME: Final = "io.containerd.image.name"
_LAYOUT: Final = {"imageLayoutVersion": "1.0.0"}
_SCHEMA: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that is made here."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A blob that comes from the store."""

    digest: Digest
    size: int

    @property
    def name(self) -> str:
        """Its path in the layout."""
        return blob_path(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What one image has become.

    Attributes:
        image: the image.
        digests: what index.json names for it.
        docker: the platform's image that `docker load` takes; None where it could take none.
    """

    image: Image
    digests: tuple[Digest, ...]
    docker: Member | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """A whole archive.

    Attributes:
        entries: in the order of the tar.
        images: by name.
    """

    entries: tuple[File | StoredBlob, ...]
    images: tuple[Named, ...]

    @property
    def size(self) -> int:
        """Bytes of the tar."""
        return len(END) + sum(
            len(header(entry.name, size)) + padded(size)
            for entry in self.entries
            for size in [entry.size if isinstance(entry, StoredBlob) else len(entry.data)]
        )

    @property
    def blobs(self) -> tuple[StoredBlob, ...]:
        """What comes from the store, in the order of the tar."""
        return tuple(entry for entry in self.entries if isinstance(entry, StoredBlob))


def plan_archive(images: Sequence[Image]) -> ArchivePlan:
    """The archive of these images.

    Raises:
        InputError: two of them have one name and are not the same image.
    """
    ordered = _unique(images)
    made: dict[Digest, RawManifest] = {}
    roots = {image.name: _roots(image, made) for image in ordered}
    stored: dict[Digest, int] = {}
    for image in ordered:
        if image.index is not None:
            stored[image.index[0].digest] = len(image.index[0].data)
        for member in image.members:
            stored.update({blob.digest: blob.size for blob in member.blobs()})
    blobs: list[File | StoredBlob] = [
        *(StoredBlob(digest=digest, size=size) for digest, size in stored.items()),
        *(
            File(name=blob_path(raw.digest), data=raw.data)
            for raw in made.values()
            if raw.digest not in stored
        ),
    ]
    named = tuple(
        Named(
            image=image,
            digests=tuple(root.digest for _, root in roots[image.name]),
            docker=next((member for member in image.members if member.loads), None),
        )
        for image in ordered
    )
    return ArchivePlan(
        entries=(*sorted(blobs, key=lambda blob: blob.name), *_documents(named, roots)),
        images=named,
    )


def blob_path(digest: Digest) -> str:
    """Where a layout has a blob."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _unique(images: Sequence[Image]) -> list[Image]:
    """By name, each once."""
    found: dict[str, Image] = {}
    for image in images:
        known = found.setdefault(image.name, image)
        if (known.index, known.members) != (image.index, image.members):
            shown = safe(image.name)
            raise InputError(
                f"{safe(known.asked)} and {safe(image.asked)} are different images, and an archive "
                f"can have only one {shown}",
                mend="export them one by one",
            )
    return [found[name] for name in sorted(found)]


def _roots(image: Image, made: dict[Digest, RawManifest]) -> list[tuple[str, Descriptor]]:
    """The entries of index.json for an image; an index that has to be made is put into `made`."""
    if image.index is not None and image.is_whole:
        return [(image.name, descriptor_of(image.index[0]))]
    reference = full_reference(image.name)
    if reference is not None and reference.digest is not None:
        return [
            (f"{reference.repository}@{member.raw.digest}", member.descriptor)
            for member in sorted(image.members, key=lambda member: str(member.raw.digest))
        ]
    if len(image.members) == 1:
        return [(image.name, image.members[0].descriptor)]
    index = _filtered(image)
    made[index.digest] = index
    return [(image.name, descriptor_of(index))]


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
                {**_fields(member.descriptor), "platform": _platform(member.platform)}
                for member in members
                if member.platform is not None
            ],
        }
    )
    return RawManifest(media_type=media_type, digest=Digest.of(data), data=data)


def _documents(
    named: Sequence[Named], roots: dict[str, list[tuple[str, Descriptor]]]
) -> list[File]:
    entries = sorted(
        ((name, root) for image in named for name, root in roots[image.image.name]),
        key=lambda entry: (entry[0], str(entry[1].digest)),
    )
    index = {
        "schemaVersion": _SCHEMA,
        "mediaType": OCI_INDEX,
        "manifests": [
            {**_fields(root), "annotations": _names(name)} for name, root in dict(entries).items()
        ],
    }
    files = [File(name="index.json", data=_dumps(index))]
    docker = _docker(named)
    if docker:
        files.append(File(name="manifest.json", data=_dumps(docker)))
    return [*files, File(name="oci-layout", data=_dumps(_LAYOUT))]


def _docker(named: Sequence[Named]) -> list[dict[str, Any]]:
    """The `manifest.json` of docker: each image once, with all of its tags.

    Tags are written out in full: docker shows the short form of them anyhow, and podman would take
    a short one for `localhost/`.
    """
    tags: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for image in named:
        if image.docker is None:
            continue
        manifest = image.docker.manifest
        layers = tuple(blob_path(layer.digest) for layer in manifest.layers)
        known = tags.setdefault((blob_path(manifest.config.digest), layers), [])
        reference = full_reference(image.image.name)
        if reference is not None and reference.tag is not None and reference.digest is None:
            known.append(str(reference))
    return [
        {"Config": config, "RepoTags": sorted(names) or None, "Layers": list(layers)}
        for (config, layers), names in sorted(tags.items(), key=_by_tags)
    ]


def _by_tags(
    item: tuple[tuple[str, tuple[str, ...]], list[str]],
) -> tuple[bool, list[str], tuple[str, tuple[str, ...]]]:
    """Sorts images by their tags, those without behind: `docker load` tells of them in order."""
    content, names = item
    return not names, sorted(names), content


def _names(name: str) -> dict[str, str]:
    # containerd takes its own annotation for a full reference, which another tool's name is not.
    own = {_CONTAINERD_NAME: name} if full_reference(name) is not None else {}
    return {**own, _REF_NAME: name}


def _fields(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }


def _platform(platform: Platform) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "architecture": platform.architecture,
        "os": platform.os,
        "os.version": platform.os_version,
        "os.features": list(platform.os_features),
        "variant": platform.variant,
    }
    return {key: value for key, value in fields.items() if value}


def _dumps(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")
