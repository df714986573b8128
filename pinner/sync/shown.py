"""A download that is not a sync's, as `Progress` is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.progress import BlobPlan, ImagePlan
from pinner.sync.download import fetch_blobs
from pinner.sync.transfer import BlobFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinner.clock import Clock
    from pinner.errors import PinnerError
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.sources import BlobSource
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.sync.plan import BlobNeed
    from pinner.sync.transfer import Event


def fetch_shown(
    needs: Sequence[BlobNeed],
    store: Store,
    source: BlobSource,
    *,
    progress: Progress,
    clock: Clock,
    jobs: int,
) -> dict[Digest, PinnerError]:
    """Bring blobs into the store and tell `progress` of plan, bytes and how each image ended.

    Returns:
        What cannot be had, and why.

    Raises:
        StoreError: the store or the disk failed.
    """
    images = _show(progress, needs)
    failed: dict[Digest, PinnerError] = {}

    def handle(events: Sequence[Event]) -> None:
        failed.update(
            {event.digest: event.error for event in events if isinstance(event, BlobFailed)}
        )

    fetch_blobs(needs, store, source, progress=progress, clock=clock, jobs=jobs, handle=handle)
    for image in images:
        if any(str(digest) in image.blobs for digest in failed):
            progress.image_failed(image.name)
        else:
            progress.image_done(image.name)
    return failed


def _show(progress: Progress, needs: Sequence[BlobNeed]) -> list[ImagePlan]:
    """Tell the plan to `progress`; it is returned, for telling the images' ends."""
    images = _images(needs)
    progress.plan(
        tuple(images),
        tuple(
            BlobPlan(digest=str(need.descriptor.digest), size=need.descriptor.size)
            for need in needs
        ),
    )
    return images


def _images(needs: Iterable[BlobNeed]) -> list[ImagePlan]:
    waiting: dict[str, list[Descriptor]] = {}
    for need in needs:
        for name in need.images:
            waiting.setdefault(name, []).append(need.descriptor)
    return [
        ImagePlan(
            name=name,
            blobs=tuple(str(blob.digest) for blob in blobs),
            size=sum(blob.size for blob in blobs),
        )
        for name, blobs in waiting.items()
    ]
