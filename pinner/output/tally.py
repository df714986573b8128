"""How far a run is: counts that worker threads add to and a display reads."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pinner.progress import BlobPlan, ImagePlan

_WINDOW: Final = 5.0


class State(Enum):
    """Where an image is in a run."""

    WAITING = "waiting"
    ACTIVE = "active"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """One image at one moment: bytes and blobs of those that are fetched for it."""

    name: str
    state: State
    done: int
    size: int
    blobs_done: int
    blobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalRow:
    """The whole run at one moment; a blob that several images share counts once."""

    done: int
    size: int
    images_done: int
    images: int


class Tally:
    """The counts behind a display. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._images: dict[str, _Count] = {}
        self._blobs: dict[str, _Blob] = {}
        self._done = 0
        self._size = 0

    def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
        """The work is known; it takes the place of what was planned before."""
        with self._lock:
            self._done = 0
            self._images = {image.name: _Count(image) for image in images}
            self._blobs = {blob.digest: _Blob(blob.size) for blob in blobs}
            self._size = sum(blob.size for blob in blobs)
            for count in self._images.values():
                for digest in count.plan.blobs:
                    self._blobs[digest].wanted_by.append(count)
            for blob in blobs:
                self._count(self._blobs[blob.digest], blob.done)

    def advance(self, digest: str, count: int) -> None:
        """Bytes arrived, or were given up."""
        with self._lock:
            blob = self._blobs.get(digest)
            if blob is not None:
                self._count(blob, count)

    def blob_done(self, digest: str) -> None:
        """The blob is whole, however it came: another process may have fetched it."""
        with self._lock:
            blob = self._blobs.get(digest)
            if blob is not None:
                self._count(blob, blob.size - blob.done)
                for image in blob.wanted_by:
                    image.blobs_done += 1

    def image_ended(self, name: str, state: State) -> ImageRow | None:
        """The image is complete or failed: how it stands; None where nothing was fetched for it."""
        with self._lock:
            image = self._images.get(name)
            if image is None:
                return None
            image.ended = state
            return image.row()

    def rows(self) -> list[ImageRow]:
        """Every image of the plan, in its order."""
        with self._lock:
            return [image.row() for image in self._images.values()]

    def blob(self, digest: str) -> tuple[int, int] | None:
        """How many bytes of a blob are here, and of how many; None where it is not fetched."""
        with self._lock:
            blob = self._blobs.get(digest)
            return None if blob is None else (blob.done, blob.size)

    def moving(self) -> list[str]:
        """The digests of the blobs that have begun and are not whole, in the order of the plan."""
        with self._lock:
            return [digest for digest, blob in self._blobs.items() if 0 < blob.done < blob.size]

    def total(self) -> TotalRow:
        """The sum."""
        with self._lock:
            return TotalRow(
                done=self._done,
                size=self._size,
                images_done=sum(image.ended is State.DONE for image in self._images.values()),
                images=len(self._images),
            )

    def _count(self, blob: _Blob, count: int) -> None:
        blob.done += count
        self._done += count
        for image in blob.wanted_by:
            image.done += count


class _Count:
    """An image's share of the counts."""

    __slots__ = ("blobs_done", "done", "ended", "plan")

    def __init__(self, plan: ImagePlan) -> None:
        self.plan = plan
        self.done = 0
        self.blobs_done = 0
        self.ended: State | None = None

    def row(self) -> ImageRow:
        return ImageRow(
            name=self.plan.name,
            state=self.ended or (State.ACTIVE if self.done else State.WAITING),
            done=self.done,
            size=self.plan.size,
            blobs_done=self.blobs_done,
            blobs=len(self.plan.blobs),
        )


class _Blob:
    """A blob's share of the counts, and the images that it counts for."""

    __slots__ = ("done", "size", "wanted_by")

    def __init__(self, size: int) -> None:
        self.size = size
        self.done = 0
        self.wanted_by: list[_Count] = []


class Speed:
    """Bytes a second over the last seconds, from totals observed now and then."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def observe(self, moment: float, done: int) -> float:
        """The speed after the run stands at `done` bytes at `moment` (seconds)."""
        self._seen.append((moment, done))
        # Two observations always stay: one before the window gives the line through it.
        while len(self._seen) > 2 and self._seen[1][0] < moment - _WINDOW:  # noqa: PLR2004
            self._seen.popleft()
        first_moment, first_done = self._seen[0]
        elapsed = moment - first_moment
        return max(0.0, (done - first_done) / elapsed) if elapsed > 0 else 0.0
