"""Downloads of blobs into a store by a pool of workers, and what becomes of each.

    BlobNeed… --Board--> Transfer in each worker --events--> the calling thread, in batches

Nothing here names an image: who needs the blobs, and what to do when they are there, is the
caller's.
"""

from __future__ import annotations

import contextlib
import queue
from typing import TYPE_CHECKING, Final

from pinner.sync.board import Board
from pinner.sync.transfer import BlobDone, BlobFailed, RunFailed, Transfer
from pinner.workers import start_daemon

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from pinner.clock import Clock
    from pinner.oci.sources import BlobSource
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.sync.plan import BlobNeed
    from pinner.sync.transfer import Event

_GRACE: Final = 2.0  # far more than it takes, unless the disk or the machine is very busy
_WHILE: Final = 1.0


def fetch_blobs(
    blobs: Sequence[BlobNeed],
    store: Store,
    source: BlobSource,
    *,
    progress: Progress,
    clock: Clock,
    jobs: int,
    handle: Callable[[Sequence[Event]], None],
) -> None:
    """Bring blobs into the store; when this returns, each was reported done or failed.

    Args:
        blobs: what to fetch, in the order in which it is begun: the largest first.
        store: where to.
        source: where from.
        progress: who listens; it has been told the plan.
        clock: for waiting.
        jobs: connections at once.
        handle: takes what happened since it was last called, in this thread; called now and then
            without anything. What it raises ends the download.

    Raises:
        StoreError: the store or the disk failed.
        KeyboardInterrupt: interrupted; what was fetched is kept and continued next time.
    """
    store.announce([blob.descriptor.digest for blob in blobs])
    board = Board(blobs, workers=jobs, clock=clock)
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    transfer = Transfer(
        board=board, store=store, source=source, progress=progress, report=events.put
    )
    workers = [start_daemon(transfer.work, f"pinner-sync-{number}") for number in range(jobs)]
    left = {blob.descriptor.digest for blob in blobs}
    try:
        while left:
            batch = _arrived(events)
            left -= {event.digest for event in batch if isinstance(event, BlobDone | BlobFailed)}
            handle(batch)
            for event in batch:
                if isinstance(event, RunFailed):
                    raise event.error
    except KeyboardInterrupt:
        board.stop()
        source.abort()  # a worker that waits for bytes comes back, and journals what it has
        raise
    finally:
        board.stop()
        try:
            _leave(workers, clock)
        finally:  # a second Ctrl-C ends the wait alone
            board.close()


def _arrived(events: queue.SimpleQueue[Event]) -> list[Event]:
    """What was reported; nothing if for a while nothing was."""
    batch: list[Event] = []
    with contextlib.suppress(queue.Empty):
        batch.append(events.get(timeout=_WHILE))
        while True:
            batch.append(events.get_nowait())
    return batch


def _leave(workers: Sequence[threading.Thread], clock: Clock) -> None:
    """Give workers a moment to journal what they have."""
    deadline = clock.monotonic() + _GRACE
    for worker in workers:
        worker.join(max(deadline - clock.monotonic(), 0))
