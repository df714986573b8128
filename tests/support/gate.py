"""How many bytes may pass: moments of a transfer are chosen by progress, and held for good.

gate.close_after(5_000_000)                # bytes from now on, of all connections together
...                                        # whatever moves them
gate.await_closed()                        # they have passed; nothing moves until `open`
"""

from __future__ import annotations

import threading

from support.waiting import PATIENCE


class Gate:
    """Open at first; whoever wants to pass bytes asks for `room`.

    Attributes:
        passed: bytes that were let through until now.
    """

    def __init__(self) -> None:
        self.passed = 0
        self._last: int | None = None
        self._changed = threading.Condition()

    def close_after(self, count: int) -> None:
        """Let so many more bytes pass, and then none until `open`."""
        with self._changed:
            self._last = self.passed + count
            self._changed.notify_all()

    def open(self) -> None:
        """Let everything pass from now on, and whoever waits."""
        with self._changed:
            self._last = None
            self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether as many bytes have passed as may."""
        with self._changed:
            return self.passed == self._last

    def await_closed(self) -> None:
        """Return when as many bytes have passed as may.

        Raises:
            AssertionError: they had not within `PATIENCE`.
        """
        with self._changed:
            assert self._changed.wait_for(lambda: self.passed == self._last, PATIENCE)

    def room(self, wanted: int) -> int:
        """How many of the `wanted` bytes may pass now, at least one; waits until one may."""
        with self._changed:
            self._changed.wait_for(lambda: self._last is None or self.passed < self._last)
            count = wanted if self._last is None else min(wanted, self._last - self.passed)
            self.passed += count
            self._changed.notify_all()
            return count
