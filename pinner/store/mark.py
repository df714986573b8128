"""What the roots of a store need: everything that a damaged image may still want among it (pure).

    root -> index -> members that are here -> config and layers

Unlike `reach`, which says what an image lacks, this says what must stay. Where a manifest cannot be
read nobody knows what it needs; that is told, since then nothing that seems unneeded can go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pinner.errors import PinnerError
from pinner.oci import mediatypes
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.manifest import MANIFEST_LIMIT, Index, parse_manifest
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A manifest whose needs are not known.

    Attributes:
        what: why, as a sentence, safe to print.
        name: the root that leads to it; foreign text, empty for a nameless one.
    """

    digest: Digest
    what: str
    name: str


@dataclass(slots=True)
class Marks:
    """What was marked so far; roots may be added one by one.

    Attributes:
        sizes: the blobs that are here, and their bytes.
        read: the verified bytes of one of them; a `PinnerError` where they are corrupt.
        needed: what must stay, here or not.
    """

    sizes: Mapping[Digest, int]
    read: Callable[[Digest], bytes]
    needed: set[Digest] = field(default_factory=set)
    unknown: list[Unknown] = field(default_factory=list)
    _followed: set[Digest] = field(default_factory=set)

    def add(self, root: Descriptor, name: str) -> None:
        """Mark everything that a root needs."""
        if root.digest not in self.sizes:
            self.needed.add(root.digest)
            if _is_parent(root):
                what = f"manifest {root.digest} is missing"
                self.unknown.append(Unknown(digest=root.digest, what=what, name=name))
            return
        todo = [root]
        while todo:
            descriptor = todo.pop()
            if descriptor.digest in self._followed:
                continue
            self._followed.add(descriptor.digest)
            self.needed.add(descriptor.digest)
            if descriptor.digest in self.sizes:
                todo += self._below(descriptor, name)

    def _below(self, descriptor: Descriptor, name: str) -> tuple[Descriptor, ...]:
        """What a blob that is here points to."""
        if not _is_parent(descriptor):
            return self._mentioned(descriptor)
        try:
            data = self.read(descriptor.digest)
            raw = RawManifest(media_type=descriptor.media_type, digest=descriptor.digest, data=data)
            manifest = parse_manifest(raw)
        except PinnerError as error:
            unknown = Unknown(digest=descriptor.digest, what=error.what, name=name)
            self.unknown.append(unknown)
            return ()
        if isinstance(manifest, Index):
            return manifest.manifests
        self.needed.update(blob.digest for blob in manifest.blobs())
        return ()

    def _mentioned(self, descriptor: Descriptor) -> tuple[Descriptor, ...]:
        """What a document of a type that pinner does not know points to, to be on the safe side."""
        if (
            not descriptor.media_type.endswith("json")
            or self.sizes[descriptor.digest] > MANIFEST_LIMIT
        ):
            return ()
        try:
            return tuple(_descriptors(json.loads(self.read(descriptor.digest))))
        except (PinnerError, ValueError, RecursionError):
            return ()


def _is_parent(descriptor: Descriptor) -> bool:
    kind = descriptor.media_type
    return mediatypes.is_index(kind) or mediatypes.is_manifest(kind)


def _descriptors(document: Any) -> Iterator[Descriptor]:
    """Every object in a JSON document that has a digest."""
    todo = [document]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            todo += value.values()
            try:
                digest = Digest.parse(str(value.get("digest")))
            except InvalidDigest:
                continue
            yield Descriptor(media_type=str(value.get("mediaType")), digest=digest, size=0)
