"""What is pulled and what it came to, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pinner.outcome import Failed
from pinner.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Reference
    from pinner.sync.result import Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One name of the command line.

    Attributes:
        given: as it was written, in full, without a tag that was implied.
        all_tags: every tag of the repository is meant.
    """

    given: Reference
    all_tags: bool = False

    @property
    def defaulted(self) -> bool:
        """Whether the tag `latest` is implied, which docker says aloud."""
        return not self.all_tags and self.given.tag is None and self.given.digest is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reference to pull.

    Attributes:
        reference: with a tag, or a digest alone: beside a digest a tag decides nothing, and the
            store does not name it.
        given: what the last line says.
        defaulted: whether its tag was implied.
        group: for a tag of `--all-tags` the repository's familiar name; else empty.
    """

    reference: Reference
    given: Reference
    defaulted: bool = False
    group: str = ""

    @property
    def name(self) -> str:
        """How messages and outcomes call it; unique within a run."""
        return self.reference.familiar()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What docker would tell of one target: its lines belong together.

    Attributes:
        found: whether the registry has it, so that it was begun; else its error is all.
        digest: what the reference names; None where it cannot be pulled.
        layers: of every wanted platform, each once.
        missing: the blobs (layers and configs) that the store lacks at first.
        up_to_date: the store had all of it, under this name.
    """

    target: Target
    found: bool = False
    digest: Digest | None = None
    layers: tuple[Descriptor, ...] = ()
    missing: frozenset[Digest] = frozenset()
    up_to_date: bool = False


class PullProgress(Progress, Protocol):
    """The listener of a pull."""

    def found(self, blocks: Sequence[Block]) -> None:
        """What there is to pull is known, in the order in which it is told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """The store holds this image under its name.

    Attributes:
        name: the familiar reference.
        reference: its full name in the store.
        digest: what that points to: an index, or a lone manifest.
        platforms: the manifest of each platform whose layers are there.
        layers: of all of these, each once.
        fetched: the layers that the store lacked.
        size: bytes of the configs and layers.
        up_to_date: nothing had to be fetched, and the store had the name before.
    """

    name: str
    reference: str
    digest: Digest
    platforms: Mapping[Platform, Digest]
    layers: tuple[Descriptor, ...]
    fetched: frozenset[Digest]
    size: int
    up_to_date: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A tag of `--all-tags` that is no image, and is left out aloud."""

    name: str
    reason: str


PullOutcome = Pulled | Skipped | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """The outcome of each reference in the order of the command line, and the work of the run.

    Attributes:
        pulled: what the command line named and nothing of which failed, in full.
        fetched, shared: as `SyncResult` has them.
        warnings: one line each, safe to print.
    """

    outcomes: tuple[PullOutcome, ...]
    pulled: tuple[Reference, ...]
    fetched: Amount
    shared: Amount
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> list[Failed]:
        """What could not be pulled."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Failed)]

    @property
    def skipped(self) -> list[Skipped]:
        """What was passed over."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Skipped)]

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return not self.failed
