"""How far an archive is, told to whoever watches: its blobs in the order of the tar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.progress import BlobPlan, ImagePlan

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
        self._waiting = {
            named.image.asked: {str(blob.digest): blob.size for blob in named.blobs}
            for named in plan.images
        }
        progress.plan(
            tuple(
                ImagePlan(name=name, blobs=tuple(sizes), size=sum(sizes.values()))
                for name, sizes in self._waiting.items()
            ),
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
        for name, left in list(self._waiting.items()):
            if left.pop(digest, None) is not None and not left:
                del self._waiting[name]
                self._progress.image_done(name)
