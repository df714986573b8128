"""What is told of downloads while uploads of the same blobs are told as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.progress import BlobPlan, NullProgress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.oci.descriptor import Descriptor
    from pinner.progress import Progress


class Fetching(NullProgress):
    """Tells another listener of downloaded bytes, under names of their own.

    They belong to no image: an image's figures are those of its upload.
    """

    def __init__(self, progress: Progress) -> None:
        """Tell `progress`."""
        self._progress = progress

    @staticmethod
    def plans(blobs: Iterable[Descriptor]) -> tuple[BlobPlan, ...]:
        """The plan of what is downloaded."""
        return tuple(BlobPlan(digest=_key(str(blob.digest)), size=blob.size) for blob in blobs)

    def advance(self, digest: str, count: int) -> None:
        """Count."""
        self._progress.advance(_key(digest), count)

    def blob_done(self, digest: str) -> None:
        """Count."""
        self._progress.blob_done(_key(digest))

    def note(self, text: str) -> None:
        """Pass it on."""
        self._progress.note(text)


def _key(digest: str) -> str:
    return f"fetched {digest}"
