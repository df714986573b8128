from __future__ import annotations

import threading

import pytest

from pinner.errors import NotFound, RateLimited, Unavailable
from pinner.registry.retry import Patience, RetryPolicy
from support.clock import FakeClock


class Notes(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


def patience(
    clock: FakeClock, notes: Notes | None = None, *, stopped: threading.Event | None = None
) -> Patience:
    return Patience(
        policy=RetryPolicy(),
        clock=clock,
        note=notes if notes is not None else Notes(),
        stopped=stopped.is_set if stopped else lambda: False,
    )


@pytest.mark.parametrize(
    ("attempt", "low", "high"),
    [(1, 0.375, 0.625), (2, 0.75, 1.25), (4, 3, 5), (7, 22.5, 37.5), (60, 22.5, 37.5)],
)
def test_delays_double_up_to_thirty_seconds_with_jitter(
    attempt: int, low: float, high: float
) -> None:
    policy = RetryPolicy()
    assert policy.delay(attempt, 0) == low
    assert policy.delay(attempt, 0.999_999_999) == pytest.approx(high)


def test_H11_transient_failures_are_tried_again() -> None:
    clock = FakeClock()
    seen: list[int] = []

    def attempt(number: int) -> str:
        seen.append(number)
        if number < 4:
            raise Unavailable("x")
        return "done"

    assert patience(clock).persistently(attempt) == "done"
    assert seen == [1, 2, 3, 4]
    assert clock.slept == pytest.approx(0.5 + 1 + 2)


def test_H11_five_attempts_and_no_more() -> None:
    seen: list[int] = []

    def attempt(number: int) -> str:
        seen.append(number)
        raise Unavailable("still down")

    with pytest.raises(Unavailable, match="still down"):
        patience(FakeClock()).persistently(attempt)
    assert seen == [1, 2, 3, 4, 5]


def test_H11_lasting_failures_are_final() -> None:
    seen: list[int] = []

    def attempt(number: int) -> str:
        seen.append(number)
        raise NotFound("x")

    with pytest.raises(NotFound):
        patience(FakeClock()).persistently(attempt)
    assert seen == [1]


def test_fewer_attempts_where_the_caller_says_so() -> None:
    seen: list[int] = []

    def attempt(number: int) -> str:
        seen.append(number)
        raise Unavailable("x")

    with pytest.raises(Unavailable):
        patience(FakeClock()).persistently(attempt, attempts=2)
    assert seen == [1, 2]


def test_a_pause_is_waited_for_by_everyone_and_for_its_host_alone() -> None:
    clock = FakeClock(jitter=0)
    patient = patience(clock)
    patient.slow_down("a.example", 3, 1)
    patient.pauses.wait("b.example")
    assert clock.slept == 0
    patient.pauses.wait("a.example")
    assert clock.slept == pytest.approx(3)


def test_H10_workers_come_back_one_after_the_other() -> None:
    ends = []
    for jitter in (0.0, 0.4, 0.9):
        clock = FakeClock(jitter=jitter)
        patient = patience(clock)
        patient.slow_down("a.example", 3, 1)
        patient.pauses.wait("a.example")
        ends.append(clock.slept)
    assert ends == pytest.approx([3.0, 3.4, 3.9])


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    clock = FakeClock(jitter=0)
    patient = patience(clock)
    patient.slow_down("a.example", 10, 1)
    patient.slow_down("a.example", 1, 1)
    patient.pauses.wait("a.example")
    assert clock.slept == pytest.approx(10)


def test_without_a_number_the_pause_doubles() -> None:
    clock = FakeClock(jitter=0.5)
    patient = patience(clock)
    patient.slow_down("a.example", None, 3)
    patient.pauses.wait("a.example")
    assert clock.slept == pytest.approx(2 + 0.5)


def test_H09_a_day_is_not_waited_for() -> None:
    clock = FakeClock(now=1_790_000_000)
    patient = patience(clock)
    patient.slow_down("a.example", 86400, 1)
    with pytest.raises(RateLimited, match=r"a\.example .*until 2026-09-22 14:13 UTC") as caught:
        patient.pauses.wait("a.example")
    assert clock.slept == 0
    assert not caught.value.transient


def test_long_waits_are_said_once() -> None:
    notes = Notes()
    patient = patience(FakeClock(), notes)
    for _ in range(16):
        patient.slow_down("a.example", 60, 1)
    assert notes == ["a.example asks to slow down: waiting 60 s"]


def test_short_waits_are_not_said() -> None:
    notes = Notes()
    patience(FakeClock(), notes).slow_down("a.example", 5, 1)
    assert notes == []


def test_a_stopped_run_does_not_wait() -> None:
    clock = FakeClock()
    stopped = threading.Event()
    patient = patience(clock, stopped=stopped)
    patient.slow_down("a.example", 60, 1)
    stopped.set()
    with pytest.raises(Unavailable, match="stopped"):
        patient.pauses.wait("a.example")
    assert clock.slept == 0
