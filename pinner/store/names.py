"""`index.json`: the names of a store (image-spec image-layout.md, annotations.md).

Each image that pinner keeps is one descriptor, named twice: `org.opencontainers.image.ref.name` is
what skopeo, podman and umoci look up, `io.containerd.image.name` what containerd imports by. Other
tools' descriptors, keys and annotations stay as they are. Pure: bytes in, bytes out.

A *member name* (`repository@sha256:…`) is there only because an index is: its annotation
`pinner.member-of` has the index's digest. A name that somebody asked for has no such mark.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pinner.oci import strictjson
from pinner.oci.fields import Field
from pinner.oci.mediatypes import OCI_INDEX
from pinner.oci.strictjson import MalformedJson

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform

INDEX_FILE: Final = "index.json"
INDEX_LIMIT: Final = 64 * 1024 * 1024
ENTRY_LIMIT: Final = 1_000_000
_SCHEMA: Final = 2
REF_NAME: Final = "org.opencontainers.image.ref.name"
CONTAINERD_NAME: Final = "io.containerd.image.name"
MEMBER_OF: Final = "pinner.member-of"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDescriptor:
    """What one name in `index.json` points to.

    Attributes:
        name: the full reference: `docker.io/library/debian:bookworm`, or `name@sha256:…`.
            Another tool's name can be any text: show it through `terminal.safe`.
        descriptor: of the index or manifest.
    """

    name: str
    descriptor: Descriptor

    @property
    def is_member(self) -> bool:
        """Whether the name is there only because an index is."""
        return MEMBER_OF in self.descriptor.annotations


def member(descriptor: Descriptor, index: Digest) -> Descriptor:
    """The descriptor of a member name, for a manifest below this index."""
    return replace(descriptor, annotations={**descriptor.annotations, MEMBER_OF: str(index)})


def asked_for(descriptor: Descriptor) -> Descriptor:
    """The descriptor of a name that somebody asked for: without the marks of other names."""
    own = {REF_NAME, CONTAINERD_NAME, MEMBER_OF}
    kept = {key: text for key, text in descriptor.annotations.items() if key not in own}
    return replace(descriptor, annotations=kept)


def loads(data: bytes) -> dict[str, Any]:
    """The document of an `index.json`, as it is but checked to be one.

    Raises:
        MalformedJson: not an image index.
    """
    document = Field(strictjson.loads(data, INDEX_LIMIT))
    version = document["schemaVersion"]
    if version.value != _SCHEMA or type(version.value) is not int:
        raise version.wrong(f"is not {_SCHEMA}")
    if not document.has("manifests"):
        raise document["manifests"].wrong("is missing")
    for _ in document["manifests"].items(limit=ENTRY_LIMIT):
        pass
    found: dict[str, Any] = document.value
    return found


def dumps(document: dict[str, Any]) -> bytes:
    """The document as text: keys in the order that they came in."""
    return (json.dumps(document, indent=2) + "\n").encode("ascii")


EMPTY_INDEX: Final = dumps({"schemaVersion": _SCHEMA, "mediaType": OCI_INDEX, "manifests": []})


def named(document: dict[str, Any]) -> tuple[NamedDescriptor, ...]:
    """The entries that have a name and are descriptors; `malformed` tells of the others."""
    return tuple(root for root in roots(document) if root.name)


def malformed(document: dict[str, Any]) -> tuple[str, ...]:
    """What is wrong with each entry that is not a descriptor."""
    found = []
    for entry in _entries(document):
        try:
            _name(entry)
            _descriptor(entry)
        except MalformedJson as error:
            found.append(error.what)
    return tuple(found)


def roots(document: dict[str, Any]) -> tuple[NamedDescriptor, ...]:
    """Every entry that is a descriptor; the name of a nameless one is empty."""
    found = map(root_of, _entries(document))
    return tuple(root for root in found if root is not None)


def root_of(entry: Field) -> NamedDescriptor | None:
    """What one entry says, as in `roots`; None where it is not a descriptor."""
    try:
        return NamedDescriptor(name=_name(entry), descriptor=_descriptor(entry))
    except MalformedJson:
        return None


def merged(document: dict[str, Any], entries: Sequence[NamedDescriptor]) -> dict[str, Any]:
    """The document with each name pointing to its descriptor, in the place that the name had.

    New names come last. Of several entries with one name, the first is replaced, the others go.
    A name that somebody asked for stays so where an index brings it along as well.
    """
    wanted = {entry.name: _entry(entry) for entry in entries}
    placed: set[str] = set()
    manifests: list[Any] = []
    for entry in _entries(document):
        name = _name_if_any(entry)
        if name not in wanted:
            manifests.append(entry.value)
        elif name not in placed:
            placed.add(name)
            manifests.append(_chosen(entry.value, wanted[name]))
    manifests += [entry for name, entry in wanted.items() if name not in placed]
    return {**document, "manifests": manifests}


def without(document: dict[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """The document without the entries of these names."""
    manifests = [entry.value for entry in _entries(document) if _name_if_any(entry) not in gone]
    return {**document, "manifests": manifests}


def _chosen(present: Any, wanted: dict[str, Any]) -> Any:
    same = present.get("digest") == wanted["digest"]
    marked = MEMBER_OF in (present.get("annotations") or {})
    return present if same and not marked and MEMBER_OF in wanted["annotations"] else wanted


def _entries(document: dict[str, Any]) -> Iterator[Field]:
    return Field(document)["manifests"].items(limit=ENTRY_LIMIT)


def _name(entry: Field) -> str:
    annotations = entry["annotations"]
    return annotations.text_at(REF_NAME, default="") or annotations.text_at(
        CONTAINERD_NAME, default=""
    )


def _name_if_any(entry: Field) -> str:
    try:
        return _name(entry)
    except MalformedJson:
        return ""


def _descriptor(entry: Field) -> Descriptor:
    platform = entry["platform"]
    return entry.descriptor(None if platform.value is None else platform.platform())


def _entry(named_descriptor: NamedDescriptor) -> dict[str, Any]:
    name, descriptor = named_descriptor.name, named_descriptor.descriptor
    entry: dict[str, Any] = {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
    if descriptor.platform is not None:
        entry["platform"] = platform_fields(descriptor.platform)
    if descriptor.artifact_type:
        entry["artifactType"] = descriptor.artifact_type
    entry["annotations"] = {**descriptor.annotations, REF_NAME: name, CONTAINERD_NAME: name}
    return entry


def platform_fields(platform: Platform) -> dict[str, Any]:
    """A platform as descriptors have it (image-spec image-index.md)."""
    fields: dict[str, Any] = {
        "architecture": platform.architecture,
        "os": platform.os,
        "os.version": platform.os_version,
        "os.features": list(platform.os_features),
        "variant": platform.variant,
    }
    return {key: value for key, value in fields.items() if value}
