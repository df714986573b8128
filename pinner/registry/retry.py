"""Trying again: how often, and how long to wait in between.

Two waits are kept apart. A single failure (a broken connection, a 502) delays only the request
that met it. A server that asks to slow down (429, or 503 with Retry-After) pauses its host for
everyone, so that sixteen workers do not each find out for themselves.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from pinner.errors import RateLimited, RegistryError, Unavailable
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.clock import Clock

T = TypeVar("T")

RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
NOT_RETRIED: Final = frozenset(range(100, 600)) - RETRIED
_SLICE: Final = 0.25  # a wait looks up this often to see whether the run was stopped
_SPREAD: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How persistent to be; times in seconds.

    Attributes:
        attempts: in all, at least 1.
        first_delay: before the second attempt; doubled before each further one.
        longest_delay: what doubling stops at.
        longest_pause: a server that asks for more is not waited for.
        noted_pause: waits beyond this are said.
    """

    attempts: int = 5
    first_delay: float = 0.5
    longest_delay: float = 30
    longest_pause: float = 300
    noted_pause: float = 5

    def delay(self, attempt: int, jitter: float) -> float:
        """How long to wait after the given failed attempt (counted from 1).

        Args:
            attempt: which one failed.
            jitter: a number in [0, 1); spreads the delay over a quarter up and down.
        """
        plain = min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))
        return plain * (1 - _SPREAD + 2 * _SPREAD * jitter)


class Sleeper:
    """Waits that end early, with an error, when the run is stopped."""

    def __init__(self, clock: Clock, stopped: Callable[[], bool]) -> None:
        self._clock = clock
        self._stopped = stopped

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`.

        Raises:
            Unavailable: the run was stopped; not transient.
        """
        end = self._clock.monotonic() + seconds
        while True:
            if self._stopped():
                stop = Unavailable("the run was stopped")
                stop.transient = False
                raise stop
            left = end - self._clock.monotonic()
            if left <= 0:
                return
            self._clock.sleep(min(left, _SLICE))


class Pauses:
    """Until when each host is to be left alone, shared by all workers."""

    def __init__(
        self, *, policy: RetryPolicy, clock: Clock, sleeper: Sleeper, note: Callable[[str], None]
    ) -> None:
        """No pauses yet.

        Args:
            policy: says which pauses are too long, and which are worth a line.
            clock: for the time of day in messages, and for ends of pauses.
            sleeper: how to wait.
            note: takes a line for the user.
        """
        self._policy = policy
        self._clock = clock
        self._sleeper = sleeper
        self._note = note
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}

    def impose(self, host: str, seconds: float) -> None:
        """Leave `host` alone for `seconds` from now, or longer if that was said already."""
        end = self._clock.monotonic() + seconds
        with self._lock:
            before = self._ends.get(host, 0.0)
            self._ends[host] = max(before, end)
        waited_for = self._policy.noted_pause < seconds <= self._policy.longest_pause
        if waited_for and end > before + self._policy.noted_pause:
            self._note(f"{safe(host)} asks to slow down: waiting {_spoken(seconds)}")

    def wait(self, host: str) -> None:
        """Wait until `host` may be asked again; return at once where nothing was imposed.

        Workers come back one after the other, within a second of the end.

        Raises:
            RateLimited: the pause is longer than pinner waits; says until when.
            Unavailable: the run was stopped.
        """
        left = self._left(host)
        if left <= 0:
            return
        if left > self._policy.longest_pause:
            until = datetime.fromtimestamp(self._clock.now() + left, UTC)
            limited = RateLimited(
                f"{safe(host)} asks to wait {_spoken(left)}, until {until:%Y-%m-%d %H:%M} UTC",
                mend="run again after that; what was fetched so far is kept",
            )
            limited.transient = False
            raise limited
        while (left := self._left(host)) > 0:
            self._sleeper.sleep(left)
        self._sleeper.sleep(self._clock.jitter())

    def _left(self, host: str) -> float:
        with self._lock:
            return self._ends.get(host, 0.0) - self._clock.monotonic()


class Patience:
    """Attempts and waits, as one policy says; shared by all workers.

    Attributes:
        pauses: which hosts are to be left alone.
    """

    def __init__(
        self,
        *,
        policy: RetryPolicy,
        clock: Clock,
        note: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> None:
        """Wait by `clock`, say long waits to `note`, and give up once `stopped` says so."""
        self._policy = policy
        self._clock = clock
        self._sleeper = Sleeper(clock, stopped)
        self.pauses = Pauses(policy=policy, clock=clock, sleeper=self._sleeper, note=note)

    def slow_down(self, host: str, seconds: float | None, number: int) -> None:
        """Pause a host for everyone, since it said so in answer to the given attempt.

        Args:
            host: `host[:port]`.
            seconds: as it asked; None where it did not say, for a doubling delay.
            number: the attempt, from 1.
        """
        if seconds is None:
            seconds = self._policy.delay(number, self._clock.jitter())
        self.pauses.impose(host, seconds)

    def persistently(self, attempt: Callable[[int], T], *, attempts: int | None = None) -> T:
        """What `attempt` returns, tried again after transient failures.

        Args:
            attempt: called with its number, from 1.
            attempts: how many there may be, where the policy is too patient.

        Raises:
            RegistryError: the last failure, or the first one that is not transient.
        """
        most = self._policy.attempts if attempts is None else attempts
        number = 1
        while True:
            try:
                return attempt(number)
            except RegistryError as error:
                if not error.transient or number >= most:
                    raise
            self._sleeper.sleep(self._policy.delay(number, self._clock.jitter()))
            number += 1


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{round(seconds)} s" if seconds < 100 else f"{minutes} min"  # noqa: PLR2004 - taste
