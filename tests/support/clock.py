"""A clock that only moves when somebody sleeps, so that no test waits."""

from __future__ import annotations

import threading


class FakeClock:
    """Time under the test's control; satisfies `pinner.clock.Clock`.

    Attributes:
        slept: the sum of all sleeps in seconds.
    """

    def __init__(
        self, now: float = 1_790_000_000.0, *, jitter: float = 0.5, tick: float = 0.0
    ) -> None:
        """Start at a moment.

        Args:
            now: seconds since the epoch.
            jitter: what chance always gives.
            tick: seconds that pass with each look at `monotonic`.
        """
        self._lock = threading.Lock()
        self._now = now
        self._jitter = jitter
        self._tick = tick
        self._passed = 1000.0
        self.slept = 0.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        with self._lock:
            self._passed += self._tick
            return self._passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept += seconds
            self._now += seconds
            self._passed += seconds

    def jitter(self) -> float:
        return self._jitter
