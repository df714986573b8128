"""A download that is not a sync's, as `Progress` is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.progress import BlobPlan, ImagePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.progress import Progress
    from pinner.sync.plan import BlobNeed


def show(progress: Progress, needs: Sequence[BlobNeed]) -> list[ImagePlan]:
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
