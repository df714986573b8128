"""Waiting for what another process does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

PATIENCE = 120
"""Seconds: only a test that fails waits so long, so it is more than any busy machine takes."""


def await_that(true: Callable[[], bool]) -> None:
    """Return when it is; fail the test when it is not within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def send_signal(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal, and return when the process has taken it (where the kernel tells)."""
    process.send_signal(number)
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        await_that(lambda: "\nShdPnd:\t0000000000000000\n" in status.read_text())
