"""An image as it goes into an archive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.oci.descriptor import Descriptor
from pinner.oci.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.oci.digest import Digest
    from pinner.oci.manifest import Index, Manifest
    from pinner.oci.platform import Platform
    from pinner.oci.sources import RawManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """The image for one platform.

    Attributes:
        platform: None for an artifact.
        raw: the manifest's bytes.
        manifest: what they say.
        loads: whether docker could make an image of it: its config is one of an image, with a
            `diff_id` for each layer.
    """

    platform: Platform | None
    raw: RawManifest
    manifest: Manifest
    loads: bool

    @property
    def descriptor(self) -> Descriptor:
        """Of the manifest."""
        return descriptor_of(self.raw)

    def blobs(self) -> Iterator[Descriptor]:
        """The manifest, the config and the layers."""
        yield self.descriptor
        yield from self.manifest.blobs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One name, and what the archive has of it.

    Attributes:
        asked: what the user calls it; foreign text.
        name: as index.json names it: `docker.io/library/debian:bookworm`, or `…/debian@sha256:…`.
            Another tool's can be any text.
        index: what the name stands for, where that is an index which the store has.
        members: at least one; docker is given the first that it could load.
    """

    asked: str
    name: str
    members: tuple[Member, ...]
    index: tuple[RawManifest, Index] | None = None

    @property
    def docker(self) -> Member | None:
        """The platform's image that `docker load` takes; None where it could take none."""
        return next((member for member in self.members if member.loads), None)

    @property
    def is_whole(self) -> bool:
        """Whether every member of the index goes along, so that the index itself can be named."""
        if self.index is None:
            return False
        here = {member.raw.digest for member in self.members}
        return all(member.digest in here for member in self.index[1].manifests)


def blob_path(digest: Digest) -> str:
    """Where a layout has a blob."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def full_reference(name: str) -> Reference | None:
    """The reference that a name is, written out in full; None for any other text."""
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return None
    return reference if str(reference) == name else None


def descriptor_of(raw: RawManifest) -> Descriptor:
    """The descriptor of a manifest or index that is here."""
    return Descriptor(media_type=raw.media_type, digest=raw.digest, size=len(raw.data))
