"""The watcher for a pipe or a log: a line for each image that has ended, a total now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.output.tally import ImageRow, Speed, State
from pinner.output.units import countdown, plural, rate, size, size_of
from pinner.output.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

INTERVAL: Final = 10.0


class PlainProgress(Watcher):
    """Whole lines, without colour or cursor movement.

    Args:
        stream: where the lines go.
        monotonic: seconds, for speed and intervals.
        interval: seconds between two total lines.
    """

    def __init__(
        self, stream: TextIO, monotonic: Callable[[], float], *, interval: float = INTERVAL
    ) -> None:
        super().__init__()
        self._stream = stream
        self._monotonic = monotonic
        self._interval = interval
        self._speed = Speed()
        self._due: float | None = None

    def line_for(self, row: ImageRow) -> str:
        """`python: 45.1 MB in 9 blobs`, or that it failed."""
        if row.state is State.FAILED:
            return f"{row.name}: failed\n"
        return f"{row.name}: {size(row.size)} in {plural(row.blobs, 'blob')}\n"

    def pause(self) -> float | None:
        """Until the next total line; None before there is a plan."""
        total = self.tally.total()
        if not total.size:
            return None
        now = self._monotonic()
        if self._due is None:
            self._due = now + self._interval
            self._speed.observe(now, total.done)
        return max(0.0, self._due - now)

    def show(self) -> None:
        """Print the total line."""
        now = self._monotonic()
        self._due = now + self._interval
        total = self.tally.total()
        speed = self._speed.observe(now, total.done)
        left = f", {countdown((total.size - total.done) / speed)} left" if speed else ""
        self.write(
            f"total: {size_of(total.done, total.size)}, "
            f"{total.images_done} of {plural(total.images, 'image')}, {rate(speed)}{left}\n"
        )

    def write(self, line: str) -> None:
        """Print a line."""
        self._stream.write(line)
        self._stream.flush()

    def end(self) -> None:
        """Nothing to take down."""
