"""What the use cases ask of a registry that they write to, as small protocols.

Raised by every method here: `NotFound`, `AccessDenied`, `RateLimited`, `Unavailable`,
`ProtocolError` (all `RegistryError`), and `IntegrityError` where the registry found other bytes
than a digest names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pinner.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Buffer, Digest
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.sources import RawManifest


class ContentMissing(ProtocolError):  # noqa: N818 - what the registry says
    """The registry refuses a manifest since it lacks a blob or a member that the manifest names."""


class BlobContent(Protocol):
    """The bytes of a blob, which can be read from any place, as often as needed."""

    def pieces(self, start: int, end: int) -> Iterator[Buffer]:
        """The bytes [start, end) in order, in pieces that are valid until the next.

        Raises:
            IntegrityError: there are fewer.
            StoreError: they cannot be read.
        """
        ...


class BlobSink(Protocol):
    """Takes blobs."""

    def has_blob(self, repository: Repository, descriptor: Descriptor) -> bool:
        """Whether the repository has the blob, by HEAD; a refusal counts as no."""
        ...

    def mount_blob(
        self, repository: Repository, descriptor: Descriptor, source: Repository
    ) -> bool:
        """Let the repository have a blob that another one of the same registry has.

        Whether the registry did; where not, `push_blob` goes on with the upload that it offered.
        """
        ...

    def push_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        content: BlobContent,
        advance: Callable[[int], None],
    ) -> None:
        """Upload a blob; when this returns, the registry has checked its digest.

        `advance` takes how many more bytes were sent, negative where some are sent again.
        """
        ...


class ManifestSink(Protocol):
    """Takes manifests and indexes."""

    def digest_of(self, reference: Reference) -> Digest | None:
        """What the digest, else the tag, names there; None where it is not there.

        One HEAD; for a tag also a GET where the registry states no digest.
        """
        ...

    def push_manifest(self, repository: Repository, raw: RawManifest, tag: str | None) -> None:
        """Store a manifest, byte for byte, under its digest, or under a tag and its digest.

        Raises:
            ContentMissing: the registry lacks something that the manifest names.
        """
        ...


class Sink(BlobSink, ManifestSink, Protocol):
    """Takes whole images."""
