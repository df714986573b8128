"""What a pull shows as it runs: docker's lines on stdout, what moves on stderr.

docker writes everything to stdout. Who pipes it reads the lines that say something: those stay on
stdout, each when it is due. What only moves goes to stderr, where the terminal is.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pinner.output.layerbars import LayerRow, layer_bars
from pinner.output.live import LiveProgress
from pinner.output.plain import PlainProgress
from pinner.output.pulltale import LayerState, PullTale
from pinner.output.watcher import Watcher
from pinner.progress import NullProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

    from pinner.output.bars import Bar
    from pinner.output.tally import ImageRow
    from pinner.pull import Block


class _Telling(Watcher):
    """Tells the tale of a pull in the thread that prints.

    Args:
        tell: takes lines for stdout; None where nobody wants them (`--json`).
    """

    brief: bool

    def start_tale(self, tell: Callable[[str], None] | None, *, begun: bool) -> None:
        self._tell = tell
        self._tale = PullTale(brief=self.brief, begun=begun)
        self._telling = threading.Lock()

    def found(self, blocks: Sequence[Block]) -> None:
        """What there is to pull is known."""
        with self._telling:
            self._say(self._tale.found(blocks))

    def blob_done(self, digest: str) -> None:
        """Count, and tell."""
        super().blob_done(digest)
        with self._telling:
            self._say(self._tale.downloaded(digest))

    def image_done(self, name: str) -> None:
        """Count, and tell."""
        super().image_done(name)
        self._told_end(name, complete=True)

    def image_failed(self, name: str) -> None:
        """Count, and tell."""
        super().image_failed(name)
        self._told_end(name, complete=False)

    def line_for(self, row: ImageRow) -> str:  # noqa: ARG002 - the tale says it
        """None: the tale says it."""
        return ""

    def _told_end(self, name: str, *, complete: bool) -> None:
        with self._telling:
            self._say(self._tale.ended(name, complete=complete))

    def _say(self, text: str) -> None:
        tell = self._tell
        if text and tell is not None:
            self.in_turn(lambda: self._print(tell, text))

    def _print(self, tell: Callable[[str], None], text: str) -> None:
        tell(text)


class PlainPull(_Telling, PlainProgress):
    """For a pipe: every line of docker's; a total on stderr every ten seconds."""

    brief = False

    def __init__(
        self,
        stream: TextIO,
        monotonic: Callable[[], float],
        *,
        tell: Callable[[str], None] | None,
        begun: bool,
    ) -> None:
        super().__init__(stream, monotonic)
        self.start_tale(tell, begun=begun)


class LivePull(_Telling, LiveProgress):
    """For a terminal: a row for each layer that moves in place, and how each ended above it.

    Args:
        brief: whether stdout is the same terminal, where the rows say the rest.
    """

    def __init__(
        self,
        stream: TextIO,
        monotonic: Callable[[], float],
        *,
        colour: bool,
        tell: Callable[[str], None] | None,
        brief: bool,
        begun: bool,
    ) -> None:
        super().__init__(stream, monotonic, colour=colour)
        self.brief = brief
        self.start_tale(tell, begun=begun)

    def bars(self, *, width: int, height: int) -> list[Bar]:
        """The layers of the block that is told of, and whatever else moves."""
        total = self.tally.total()
        speed = self._speed.observe(self._monotonic(), total.done)
        with self._telling:
            told = self._tale.layers
        rows = {str(layer.digest): _row(layer.digest.short, state) for layer, state in told}
        for digest in (*rows, *self.tally.moving()):
            counted = self.tally.blob(digest)
            state = rows[digest].state if digest in rows else LayerState.PULLING
            if counted is not None and state is LayerState.PULLING:
                short = digest.partition(":")[2][:12]
                rows[digest] = LayerRow(short=short, state=state, done=counted[0], size=counted[1])
        return layer_bars(list(rows.values()), total, speed=speed, width=width, height=height)

    def _print(self, tell: Callable[[str], None], text: str) -> None:
        self.end()  # a line on stdout would tear the rows
        tell(text)


class QuietPull(NullProgress):
    """Shows and tells nothing."""

    def found(self, blocks: Sequence[Block]) -> None:
        """Ignore."""

    def drain(self) -> None:
        """Nothing was told."""


def _row(short: str, state: LayerState) -> LayerRow:
    return LayerRow(short=short, state=state)
