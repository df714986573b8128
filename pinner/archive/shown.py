"""How far an archive is, told to whoever watches: its blobs in the order of the tar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.progress import BlobPlan, ImagePlan
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.archive.plan import ArchivePlan, StoredBlob
    from pinner.progress import Progress


class Shown:
    """Tells a listener of each piece that was written, and a file of how many bytes."""

    def __init__(self, plan: ArchivePlan, progress: Progress, wrote: Callable[[int], None]) -> None:
        """Tell the plan.

        Args:
            plan: of the archive.
            progress: who listens.
            wrote: is told how many more bytes of blobs were written.
        """
        self._progress = progress
        self._wrote = wrote
        self._left: dict[str, int] = {}  # blobs that an image waits for
        self._wanted_by: dict[str, list[str]] = {}
        images: list[ImagePlan] = []
        for named in plan.images:
            name, digests = safe(named.image.asked), [str(blob.digest) for blob in named.blobs]
            self._left[name] = len(digests)
            for digest in digests:
                self._wanted_by.setdefault(digest, []).append(name)
            size = sum(blob.size for blob in named.blobs)
            images.append(ImagePlan(name=name, blobs=tuple(digests), size=size))
        progress.plan(
            tuple(images),
            tuple(BlobPlan(digest=str(blob.digest), size=blob.size) for blob in plan.blobs),
        )

    def moved(self, blob: StoredBlob, count: int) -> None:
        """`count` more bytes of a blob are in the archive."""
        self._progress.advance(str(blob.digest), count)
        self._wrote(count)

    def ended(self, blob: StoredBlob) -> None:
        """A blob is whole in the archive."""
        digest = str(blob.digest)
        self._progress.blob_done(digest)
        for name in self._wanted_by.pop(digest, ()):
            self._left[name] -= 1
            if not self._left[name]:
                self._progress.image_done(name)
