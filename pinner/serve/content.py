"""What can be served: the protocol between the registry's rules and whatever holds the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.sources import RawManifest
    from pinner.serve.names import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFile:
    """A blob on disk whose bytes were found to hash to its digest."""

    path: Path
    size: int


class Content(Protocol):
    """A source of repositories. Called from many threads at once.

    Paths of names have passed the specification's grammar. Every method may raise `PinnerError`
    where the source itself fails; clients then get a 500 without details.
    """

    def tags(self, name: Name) -> tuple[str, ...] | None:
        """The tags of a repository in any order; None where there is no such repository."""
        ...

    def manifest(self, name: Name, reference: str | Digest) -> RawManifest | None:
        """The manifest or index of this tag or digest, verified; None where there is none.

        Its media type is one of the four of `oci.mediatypes`.
        """
        ...

    def blob(self, name: Name, digest: Digest) -> BlobFile | None:
        """The blob, verified; None where there is none."""
        ...

    def referrers(self, name: Name, subject: Digest) -> tuple[Descriptor, ...] | None:
        """What names `subject` as its subject, by digest; None where there is no such repository.

        The subject need not be there.
        """
        ...

    def repositories(self, namespace: str) -> tuple[str, ...]:
        """The names that a request can reach repositories by, in any order.

        Args:
            namespace: a registry, whose repositories alone are meant; empty for all that can be
                reached without one.
        """
        ...
