"""Waiting for what another process does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 120
"""Seconds: only a test that fails waits so long, so it is more than any busy machine takes."""


def await_that(true: Callable[[], bool]) -> None:
    """Return when it is; fail the test when it is not within `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)
