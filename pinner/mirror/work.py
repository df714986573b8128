"""Who does what next: blobs in the plan's order, and an image's manifests once its blobs are there.

    take     the next step for a worker; waits while others may still make one due
    done     a step's result; what it makes due is next

The calling thread sees every result, in the order in which they came.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.mirror.plan import BlobWork
from pinner.mirror.push import BlobMoved, ImagePushed
from pinner.workers import start_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinner.errors import PinnerError
    from pinner.mirror.push import Pusher
    from pinner.mirror.tree import ImageTree
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An image cannot be completed, since a blob of it could not be brought."""

    tree: ImageTree
    error: PinnerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Nothing more can be done: the store failed, or (any other exception) pinner has a bug."""

    error: BaseException


Event = BlobMoved | ImagePushed | Refused | Broken


class Board:
    """The steps that are due; safe for threads."""

    def __init__(self, trees: Sequence[ImageTree], blobs: Iterable[BlobWork]) -> None:
        """Let every image of `trees` wait for those of its blobs that are among `blobs`."""
        self._blobs = deque(blobs)
        self._images: deque[ImageTree] = deque()
        self._waiting: dict[str, tuple[ImageTree, set[Digest]]] = {
            tree.name: (tree, set()) for tree in trees
        }
        for work in self._blobs:
            for name in work.images:
                if name in self._waiting:
                    self._waiting[name][1].add(work.descriptor.digest)
        self._under_way = 0
        self._stopped = False
        self._changed = threading.Condition()
        self._release()

    def take(self) -> BlobWork | ImageTree | None:
        """The next step; None when there is none any more."""
        with self._changed:
            while not self._stopped:
                if self._images or self._blobs:
                    self._under_way += 1
                    return self._images.popleft() if self._images else self._blobs.popleft()
                if not self._under_way:
                    return None
                self._changed.wait()
            return None

    def done(self, moved: BlobMoved | None) -> list[Refused]:
        """A step is over; which images cannot be completed for it."""
        with self._changed:
            self._under_way -= 1
            refused = self._settle(moved) if moved else []
            self._release()
            self._changed.notify_all()
        return refused

    def stop(self) -> None:
        """Give out nothing any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _settle(self, moved: BlobMoved) -> list[Refused]:
        refused = []
        for name in moved.work.images:
            tree, blobs = self._waiting.get(name, (None, set()))
            if tree is None or _is_in(tree, moved.lacking):
                continue  # failed before, or waits for another round
            error = moved.failed.get(tree.wish.repository)
            if error is None:
                blobs.discard(moved.work.descriptor.digest)
            else:
                del self._waiting[name]
                refused.append(Refused(tree=tree, error=error))
        return refused

    def _release(self) -> None:
        for name, (tree, blobs) in list(self._waiting.items()):
            if not blobs:
                del self._waiting[name]
                self._images.append(tree)


def _is_in(tree: ImageTree, repositories: Sequence[Repository]) -> bool:
    return tree.wish.repository in repositories


def work_through(
    board: Board,
    pusher: Pusher,
    *,
    jobs: int,
    last_time: bool,
    handle: Callable[[BlobMoved | ImagePushed | Refused], None],
) -> None:
    """Do everything that is on the board, or comes to be due, by `jobs` workers.

    Args:
        board: the steps.
        pusher: does them.
        jobs: how many at once.
        last_time: whether what the registry lacks is final.
        handle: takes each result, in this thread; what it raises ends the work.

    Raises:
        StoreError: the store failed.
        KeyboardInterrupt: interrupted; uploads that are complete stay at the target.
    """
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            while (step := board.take()) is not None:
                if isinstance(step, BlobWork):
                    moved = pusher.move(step)
                    events.put(moved)
                    for refused in board.done(moved):
                        events.put(refused)
                else:
                    events.put(pusher.finish(step, last_time=last_time))
                    board.done(None)
            events.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            events.put(Broken(error=error))

    for number in range(jobs):
        start_daemon(work, f"pinner-mirror-{number}")
    left = jobs
    try:
        while left:
            event = events.get()
            if event is None:
                left -= 1
            elif isinstance(event, Broken):
                raise event.error
            else:
                handle(event)
    finally:
        board.stop()
