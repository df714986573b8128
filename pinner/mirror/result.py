"""What a mirroring came to, as data; `output` turns it into text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.outcome import Failed
from pinner.sync.result import Amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrored:
    """The target has this image; in a dry run, it would.

    Attributes:
        source: where it comes from, `docker.io/library/debian`.
        repository: where it is now.
        tag: what names it there; None where it is there by digest alone.
        digests: what was asked for: the locked digest, or those of single platforms.
        manifests: manifests and indexes that were sent.
        complete_before: nothing had to be sent for it.
    """

    name: str
    source: Repository
    repository: Repository
    tag: str | None
    digests: tuple[Digest, ...]
    manifests: int
    complete_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """This image is not copied, and `reason` says why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorResult:
    """The outcome of each image in the lockfile's order, and the work of the whole run.

    Attributes:
        uploaded: blobs that were sent.
        mounted: blobs that the target took from another of its repositories.
        present: blobs that a repository of the target had already, as far as they were asked for.
        fetched: blobs that had to be downloaded first.
        mirrors: the registries whose images are all there, and the mirror to write for each.
        warnings: one line each, safe to print, without duplicates.
        dry_run: nothing was sent: the amounts are what would be.
    """

    outcomes: tuple[Mirrored | Skipped | Failed, ...]
    uploaded: Amount = field(default_factory=Amount)
    mounted: Amount = field(default_factory=Amount)
    present: Amount = field(default_factory=Amount)
    fetched: Amount = field(default_factory=Amount)
    mirrors: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    dry_run: bool = False

    @property
    def complete(self) -> bool:
        """Whether every image is at the target."""
        return not any(isinstance(outcome, Failed) for outcome in self.outcomes)
