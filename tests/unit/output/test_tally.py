"""Counting a run: what a display reads is what workers reported."""

from __future__ import annotations

import threading

from pinner.output.tally import Speed, State, Tally
from pinner.progress import BlobPlan, ImagePlan

IMAGES = (
    ImagePlan(name="a", blobs=("base", "top"), size=30),
    ImagePlan(name="b", blobs=("base",), size=10),
)
BLOBS = (BlobPlan(digest="base", size=10, done=4), BlobPlan(digest="top", size=20))


def planned() -> Tally:
    tally = Tally()
    tally.plan(IMAGES, BLOBS)
    return tally


def test_what_is_there_already_counts_from_the_start() -> None:
    tally = planned()
    assert (tally.total().done, tally.total().size) == (4, 30)
    assert [row.done for row in tally.rows()] == [4, 4]


def test_a_shared_blob_counts_for_each_image_and_once_in_the_total() -> None:
    tally = planned()
    tally.advance("base", 6)
    assert [row.done for row in tally.rows()] == [10, 10]
    assert tally.total().done == 10


def test_a_blob_that_starts_over_gives_its_bytes_back() -> None:
    tally = planned()
    tally.advance("base", 6)
    tally.advance("base", -10)
    assert [row.state for row in tally.rows()] == [State.WAITING, State.WAITING]
    assert tally.total().done == 0


def test_a_blob_that_another_process_fetched_is_whole_when_it_is_done() -> None:
    tally = planned()
    tally.blob_done("top")
    assert tally.rows()[0].done == 24
    assert (tally.rows()[0].blobs_done, tally.rows()[0].blobs) == (1, 2)


def test_an_image_is_active_while_bytes_come_and_then_as_it_ended() -> None:
    tally = planned()
    assert tally.rows()[0].state is State.ACTIVE
    ended = tally.image_ended("a", State.FAILED)
    assert ended is not None
    assert ended.state is State.FAILED
    tally.image_ended("b", State.DONE)
    assert (tally.total().images_done, tally.total().images) == (1, 2)


def test_what_no_plan_names_is_not_counted() -> None:
    tally = planned()
    tally.advance("other", 5)
    tally.blob_done("other")
    assert tally.image_ended("complete-before", State.DONE) is None
    assert tally.total().done == 4


def test_counts_of_many_threads_add_up() -> None:
    tally = Tally()
    tally.plan((), (BlobPlan(digest="x", size=80_000),))

    def work() -> None:
        for _ in range(10_000):
            tally.advance("x", 1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.total().done == 80_000


def test_speed_is_that_of_the_last_seconds() -> None:
    speed = Speed()
    assert speed.observe(100.0, 50) == 0.0
    assert speed.observe(101.0, 150) == 100.0
    for second in range(2, 12):
        speed.observe(100.0 + second, 150)
    assert speed.observe(112.0, 150) == 0.0


def test_speed_over_a_long_silence_is_still_known() -> None:
    speed = Speed()
    speed.observe(0.0, 0)
    assert speed.observe(10.0, 1000) == 100.0
    assert speed.observe(20.0, 3000) == 200.0


def test_speed_is_never_negative() -> None:
    speed = Speed()
    speed.observe(0.0, 100)
    assert speed.observe(1.0, 50) == 0.0


def test_another_plan_begins_anew() -> None:
    tally = Tally()
    plan = (BlobPlan(digest="x", size=80_000, done=1_000),)
    tally.plan((), plan)
    tally.advance("x", 79_000)
    tally.plan((), plan)
    assert (tally.total().done, tally.total().size) == (1_000, 80_000)
