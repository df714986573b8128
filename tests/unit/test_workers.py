"""Work by a few threads, and a main thread that hears every signal."""

from __future__ import annotations

import queue
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError
from pinner.workers import LOOK, map_concurrently, start_daemon, take

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_PATIENCE = 60


class _Heard(Exception):  # noqa: N818 - what the signal handler raises is no error
    pass


@pytest.fixture
def heard() -> Iterator[None]:
    """SIGUSR1 raises `_Heard` in the main thread."""

    def hear(_number: int, _frame: FrameType | None) -> None:
        raise _Heard

    before = signal.signal(signal.SIGUSR1, hear)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("heard")
def test_a_signal_that_another_thread_gets_ends_the_wait() -> None:
    """As the kernel may choose; the main thread's own wait goes on then."""
    events: queue.SimpleQueue[str] = queue.SimpleQueue()
    over = threading.Event()
    unheard = threading.Event()

    def signalled() -> None:
        over.wait(LOOK)  # most often the main thread waits by then
        signal.raise_signal(signal.SIGUSR1)
        if not over.wait(_PATIENCE):
            unheard.set()
            events.put("a wait that nothing else ends")

    start_daemon(signalled, "signalled")
    with pytest.raises(_Heard):
        take(events)
    over.set()
    assert not unheard.is_set()


def test_what_takes_longer_than_a_look_is_taken() -> None:
    events: queue.SimpleQueue[str] = queue.SimpleQueue()
    timer = threading.Timer(3 * LOOK, events.put, args=["late"])
    timer.start()
    assert take(events) == "late"
    timer.join()


def test_results_are_in_the_order_of_items() -> None:
    first_may_end = threading.Event()

    def function(item: int) -> int:
        if item == 0:
            assert first_may_end.wait(_PATIENCE)
        else:
            first_may_end.set()
        return item * item

    assert map_concurrently(function, [0, 1, 2], jobs=2) == [0, 1, 4]


def test_what_is_wrong_with_one_item_leaves_the_others() -> None:
    wrong = InputError("wrong")

    def function(item: int) -> int:
        if item == 1:
            raise wrong
        return item

    assert map_concurrently(function, [0, 1, 2], jobs=1) == [0, wrong, 2]


def test_a_bug_is_raised_and_ends_the_work() -> None:
    seen: list[int] = []

    def function(item: int) -> int:
        seen.append(item)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        map_concurrently(function, list(range(100)), jobs=1)
    assert seen == [0]
