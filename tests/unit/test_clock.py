"""The machine's own clock."""

from __future__ import annotations

import time

import pytest

from pinner.clock import SystemClock

pytestmark = pytest.mark.real_clock


def test_now_is_the_wall_clock() -> None:
    assert time.time() - 60 < SystemClock().now() <= time.time()


def test_sleep_takes_at_least_its_time_by_the_monotonic_clock() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.01


def test_jitter_differs_and_is_below_one() -> None:
    jitters = {SystemClock().jitter() for _ in range(100)}
    assert len(jitters) > 1
    assert all(0 <= jitter < 1 for jitter in jitters)
