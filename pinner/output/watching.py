"""Which display a run gets: bars in a terminal, lines in a pipe, nothing where quiet is asked."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from pinner.progress import NullProgress

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import TextIO

    from pinner.progress import Progress


def watch(
    stream: TextIO, monotonic: Callable[[], float], *, moving: bool, colour: bool, quiet: bool
) -> AbstractContextManager[Progress]:
    """A display on `stream` for as long as the context is open.

    Args:
        stream: standard error.
        monotonic: seconds, for speed.
        moving: whether it is a terminal that can move the cursor.
        colour: whether colour is wanted there.
        quiet: show nothing at all.
    """
    if quiet:
        return nullcontext(NullProgress())
    if not moving:
        from pinner.output.plain import PlainProgress  # noqa: PLC0415 - a run has one display

        return PlainProgress(stream, monotonic)
    from pinner.output.live import LiveProgress  # noqa: PLC0415

    return LiveProgress(stream, monotonic, colour=colour)
