"""What can be served: the protocol between the registry's rules and whatever holds the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.oci.digest import Digest
    from pinner.oci.sources import RawManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFile:
    """A blob on disk whose bytes were found to hash to its digest."""

    path: Path
    size: int


class Content(Protocol):
    """A source of repositories. Called from many threads at once.

    Names are repository paths that passed the specification's grammar. Every method may raise
    `PinnerError` where the source itself fails; clients then get a 500 without details.
    """

    def tags(self, name: str) -> tuple[str, ...] | None:
        """The tags of a repository in any order; None where there is no such repository."""
        ...

    def manifest(self, name: str, reference: str | Digest) -> RawManifest | None:
        """The manifest or index of this tag or digest, verified; None where there is none.

        Its media type is one of the four of `oci.mediatypes`.
        """
        ...

    def blob(self, name: str, digest: Digest) -> BlobFile | None:
        """The blob, verified; None where there is none."""
        ...
