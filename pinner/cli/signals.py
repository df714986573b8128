"""SIGTERM ends a run as Ctrl-C does: what was fetched is kept, nothing half-done stays visible."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM came: whatever cleans up after Ctrl-C does so after this too."""


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within the context, SIGTERM raises `Terminated` in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; an embedding program has its own
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated
