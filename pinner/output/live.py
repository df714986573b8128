"""The watcher for a terminal: a bar for each image that moves, and the total; drawn by rich.

rich is imported when there is something to draw, in the watcher's thread, while downloads begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.output.bars import bars
from pinner.output.tally import Speed, State
from pinner.output.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.live import Live

    from pinner.output.bars import Bar
    from pinner.output.tally import ImageRow

_FRAME: Final = 0.125
_STYLES: Final = {State.ACTIVE: "cyan", State.DONE: "green", State.FAILED: "red"}


class LiveProgress(Watcher):
    """Bars that move in place, and go away when the run ends.

    Args:
        stream: a terminal.
        monotonic: seconds, for speed.
        colour: whether bars are coloured.
    """

    def __init__(self, stream: TextIO, monotonic: Callable[[], float], *, colour: bool) -> None:
        super().__init__()
        self._stream = stream
        self._monotonic = monotonic
        self._colour = colour
        self._speed = Speed()
        self._live: Live | None = None

    def line_for(self, row: ImageRow) -> str:  # noqa: ARG002 - the bar says it
        """None: the bar shows it."""
        return ""

    def pause(self) -> float | None:
        """One frame; None before there is a plan."""
        return _FRAME if self.tally.total().size else None

    def show(self) -> None:
        """Draw a frame."""
        from rich.text import Text  # noqa: PLC0415 - see the module's docstring

        live = self._live or self._start()
        rows = self.bars(width=live.console.width, height=live.console.height)
        text = Text(no_wrap=True, overflow="crop")
        for row in rows:
            text.append(row.name)
            text.append(row.bar, style=_STYLES.get(row.state, ""))
            text.append(f"{row.figures}\n")
        text.rstrip()
        live.update(text, refresh=True)

    def bars(self, *, width: int, height: int) -> list[Bar]:
        """The rows of a frame, for a terminal of this size."""
        total = self.tally.total()
        speed = self._speed.observe(self._monotonic(), total.done)
        return bars(self.tally.rows(), total, speed=speed, width=width, height=height)

    def write(self, line: str) -> None:
        """Print a line above the bars."""
        if self._live is None:
            self._stream.write(line)
            self._stream.flush()
        else:
            self._live.console.print(line, end="", markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Take the bars down and give the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self) -> Live:
        from rich.console import Console  # noqa: PLC0415 - see the module's docstring
        from rich.live import Live  # noqa: PLC0415

        console = Console(
            file=self._stream, force_terminal=True, no_color=not self._colour, highlight=False
        )
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        return self._live
