"""What a long run tells whoever watches: a protocol, and the one that says nothing.

Calls come from worker threads; implementations take their own lock and never raise. A run calls
`plan` before the first byte of a layer, then any mix of the others; a run that downloads in steps
begins each with a plan, which takes the place of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlan:
    """One image of a run: `blobs` of its layers and config have to be fetched, `size` bytes."""

    name: str
    blobs: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobPlan:
    """One blob to fetch, once, whichever images share it. `done` bytes are here already."""

    digest: str
    size: int
    done: int = 0


class Progress(Protocol):
    """The listener of a run."""

    def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
        """The whole work is known: each image, and each blob that will be fetched."""
        ...

    def advance(self, digest: str, count: int) -> None:
        """`count` more bytes of this blob arrived; negative where a blob starts over."""
        ...

    def blob_done(self, digest: str) -> None:
        """The blob is verified and in the store."""
        ...

    def image_done(self, name: str) -> None:
        """Everything that this image needs is in the store, and the store names it."""
        ...

    def image_failed(self, name: str) -> None:
        """The image could not be completed; the error comes with the result."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line now: a wait for a rate limit, a mirror left, a warning."""
        ...


class NullProgress:
    """Listens to nothing."""

    def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
        """Ignore."""

    def advance(self, digest: str, count: int) -> None:
        """Ignore."""

    def blob_done(self, digest: str) -> None:
        """Ignore."""

    def image_done(self, name: str) -> None:
        """Ignore."""

    def image_failed(self, name: str) -> None:
        """Ignore."""

    def note(self, text: str) -> None:
        """Ignore."""
