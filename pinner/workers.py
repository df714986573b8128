"""A few daemon threads for work that waits on the network.

Not `concurrent.futures`: its threads are joined when the interpreter ends, so that Ctrl-C would
wait for every read that is under way. Here the main thread waits interruptibly, and threads that
are still blocked when it leaves die with the process; what they had written is journaled.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Final, TypeVar

from pinner.errors import PinnerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

LOOK: Final = 0.25
"""Seconds after which a waiting main thread looks whether a signal came.

A signal ends a wait only if it comes during the wait, and to the waiting thread. One that comes
right before, or that the kernel gives to another thread, is handled when the wait is over.
"""


def start_daemon(target: Callable[[], None], name: str) -> threading.Thread:
    """A started thread that never keeps the process alive."""
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def take(events: queue.SimpleQueue[_Item]) -> _Item:
    """The next of `events`, in a wait that no signal outlasts by more than `LOOK` seconds."""
    while True:
        try:
            return events.get(timeout=LOOK)
        except queue.Empty:
            continue


def map_concurrently(
    function: Callable[[_Item], _Result], items: Sequence[_Item], *, jobs: int
) -> list[_Result | PinnerError]:
    """`function` of each item, in the items' order, by at most `jobs` threads at once.

    A `PinnerError` takes the place of its item's result, and the other items go on. Any other
    exception is a bug: it is raised here, and no new item is begun.
    """
    results: list[_Result | PinnerError | None] = [None] * len(items)
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    for index in range(len(items)):
        todo.put(index)
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            try:
                results[index] = function(items[index])
            except PinnerError as error:
                results[index] = error
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                ended.put(error)
                return
            ended.put(None)

    for number in range(min(jobs, len(items))):
        start_daemon(work, f"pinner-map-{number}")
    try:
        for _ in items:
            bug = take(ended)
            if bug is not None:
                raise bug
    finally:
        stop.set()
    return [result for result in results if result is not None]
