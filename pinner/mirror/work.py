"""Who does what next: blobs in the plan's order, and an image's manifests once its blobs are there.

    take     the next step for a worker; waits while others may still make one due
    done     a step's result; what it makes due is next
    arrived  a blob that was waited for is in the store; lost: it cannot be had

The calling thread sees every result, in the order in which they came.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.mirror.plan import BlobWork
from pinner.mirror.push import BlobMoved, ImagePushed
from pinner.workers import start_daemon, take

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

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

    def __init__(
        self,
        trees: Sequence[ImageTree],
        blobs: Iterable[BlobWork],
        absent: Collection[Digest] = (),
    ) -> None:
        """Let every image of `trees` wait for those of its blobs that are among `blobs`.

        A blob that is `absent` is given out when it has arrived, before those that can wait.
        """
        self._blobs: deque[BlobWork] = deque()
        self._absent: dict[Digest, list[BlobWork]] = {}
        self._images: deque[ImageTree] = deque()
        self._waiting: dict[str, tuple[ImageTree, set[Digest]]] = {
            tree.name: (tree, set()) for tree in trees
        }
        for work in blobs:
            digest = work.descriptor.digest
            if digest in absent:
                self._absent.setdefault(digest, []).append(work)
            else:
                self._blobs.append(work)
            for name in work.images:
                if name in self._waiting:
                    self._waiting[name][1].add(digest)
        self._under_way = 0
        self._stopped = False
        self._changed = threading.Condition()
        self._release(list(self._waiting))

    def take(self) -> BlobWork | ImageTree | None:
        """The next step; None when there is none any more."""
        with self._changed:
            while not self._stopped:
                if self._images or self._blobs:
                    self._under_way += 1
                    return self._images.popleft() if self._images else self._blobs.popleft()
                if not self._under_way and not self._absent:
                    return None
                self._changed.wait()
            return None

    def done(self, moved: BlobMoved | None) -> list[Refused]:
        """A step is over; which images cannot be completed for it."""
        with self._changed:
            self._under_way -= 1
            refused = self._settle(moved) if moved else []
            self._release(moved.work.images if moved else ())
            self._changed.notify_all()
        return refused

    def arrived(self, digest: Digest) -> None:
        """An absent blob is in the store."""
        with self._changed:
            self._blobs.extendleft(filter(self._is_wanted, self._absent.pop(digest, ())))
            self._changed.notify_all()

    def lost(self, digest: Digest) -> list[str]:
        """An absent blob cannot be had; the images that are given up for it, each told once."""
        with self._changed:
            names = [
                name
                for work in self._absent.pop(digest, ())
                for name in work.images
                if self._waiting.pop(name, None) is not None
            ]
            self._blobs = deque(work for work in self._blobs if self._is_wanted(work))
            self._changed.notify_all()
        return names

    def _is_wanted(self, work: BlobWork) -> bool:
        return any(name in self._waiting for name in work.images)

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

    def _release(self, names: Iterable[str]) -> None:
        for name in names:
            tree, blobs = self._waiting.get(name, (None, set()))
            if tree is not None and not blobs:
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
    meanwhile: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Do everything that is on the board, or comes to be due, by `jobs` workers.

    Args:
        board: the steps.
        pusher: does them.
        jobs: how many at once.
        last_time: whether what the registry lacks is final.
        handle: takes each result, in this thread; what it raises ends the work.
        meanwhile: brings what is absent, in this thread, and now and then calls what it is given,
            which handles the results so far.

    Raises:
        StoreError: the store failed.
        KeyboardInterrupt: interrupted; uploads that are complete stay at the target.
    """
    results = _Results(handle, workers=jobs)

    def work() -> None:
        try:
            while (step := board.take()) is not None:
                if isinstance(step, BlobWork):
                    moved = pusher.move(step)
                    results.put(moved)
                    for refused in board.done(moved):
                        results.put(refused)
                else:
                    results.put(pusher.finish(step, last_time=last_time))
                    board.done(None)
            results.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            results.put(Broken(error=error))

    for number in range(jobs):
        start_daemon(work, f"pinner-mirror-{number}")
    try:
        if meanwhile is not None:
            meanwhile(results.look)
        results.wait()
    finally:
        board.stop()


class _Results:
    """What workers report, on its way to the calling thread."""

    def __init__(
        self, handle: Callable[[BlobMoved | ImagePushed | Refused], None], *, workers: int
    ) -> None:
        self._handle = handle
        self._left = workers
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.put = self._events.put  # None: a worker has nothing more to do

    def look(self) -> None:
        """Handle what is there."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._settle(self._events.get_nowait())

    def wait(self) -> None:
        """Handle all that comes until every worker has ended."""
        while self._left:
            self._settle(take(self._events))

    def _settle(self, event: Event | None) -> None:
        if event is None:
            self._left -= 1
        elif isinstance(event, Broken):
            raise event.error
        else:
            self._handle(event)
