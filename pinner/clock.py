"""Time and chance, as parameters: whatever waits or expires takes a `Clock`."""

from __future__ import annotations

import os
import time
from typing import Protocol


class Clock(Protocol):
    """What code may know of time and chance."""

    def now(self) -> float:
        """Wall-clock seconds since the epoch, for comparing with dates from outside."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for durations and expiry."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1), different each time."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since the epoch, from the system's wall clock."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block this thread for `seconds`."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """A random number in [0, 1)."""
        return int.from_bytes(os.urandom(4)) / 2**32
