"""What the displays of a run have in common: counts, lines to print, and one thread that prints.

Worker threads call the `Progress` methods; these only count and queue, so a slow terminal never
slows a download. All printing happens in the watcher's own thread, which `with` starts and ends.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Self

from pinner.output.tally import State, Tally
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from pinner.output.tally import ImageRow
    from pinner.progress import BlobPlan, ImagePlan

_END_WITHIN: Final = 2.0
_LOOK: Final = 0.1  # seconds


class Watcher(ABC):
    """A `Progress` that prints from a thread of its own, between `__enter__` and `__exit__`."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._lines: queue.SimpleQueue[str | Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="pinner-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lines.put(None)
        self._thread.join(_END_WITHIN)

    def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
        """Begin to show the work."""
        self.tally.plan(images, blobs)
        self._lines.put("")  # wakes the thread, which has been waiting for anything to show

    def advance(self, digest: str, count: int) -> None:
        """Count."""
        self.tally.advance(digest, count)

    def blob_done(self, digest: str) -> None:
        """Count."""
        self.tally.blob_done(digest)

    def image_done(self, name: str) -> None:
        """Count, and say so where the display has a line for it."""
        self._ended(self.tally.image_ended(name, State.DONE))

    def image_failed(self, name: str) -> None:
        """Count, and say so where the display has a line for it."""
        self._ended(self.tally.image_ended(name, State.FAILED))

    def note(self, text: str) -> None:
        """Print a line of its own."""
        self._lines.put(f"{safe(text)}\n")

    def in_turn(self, action: Callable[[], None]) -> None:
        """Let the thread that prints do something when it has printed what came before."""
        self._lines.put(action)

    def drain(self) -> None:
        """Wait until the thread has printed all that came so far, however slow its reader is."""
        drained = threading.Event()
        self.in_turn(drained.set)
        while self._thread.is_alive() and not drained.wait(_LOOK):
            pass

    def _ended(self, row: ImageRow | None) -> None:
        line = self.line_for(row) if row else ""
        if line:
            self._lines.put(line)

    def _run(self) -> None:
        # A terminal or pipe that is gone ends the display, never the run.
        with contextlib.suppress(OSError):
            try:
                while True:
                    try:
                        line = self._lines.get(timeout=self.pause())
                    except queue.Empty:
                        self.show()
                        continue
                    if line is None:
                        break
                    if callable(line):
                        line()
                    elif line:
                        self.write(line)
            finally:
                self.end()

    @abstractmethod
    def line_for(self, row: ImageRow) -> str:
        """The line that an image gets when it has ended; empty where it gets none."""

    @abstractmethod
    def pause(self) -> float | None:
        """Seconds until `show` is due; None while there is nothing to show."""

    @abstractmethod
    def show(self) -> None:
        """Show how far the run is."""

    @abstractmethod
    def write(self, line: str) -> None:
        """Print one line, beside what is shown."""

    @abstractmethod
    def end(self) -> None:
        """Take down what is shown."""
