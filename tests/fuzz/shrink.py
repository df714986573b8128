"""An input made smaller while it still fails in the same way, by taking pieces out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from fuzz.target import failure_of

if TYPE_CHECKING:
    from fuzz.target import Target

_SECONDS: Final = 20.0


def shrunk(target: Target, data: bytes, name: str, *, seconds: float = _SECONDS) -> bytes:
    """A smaller input of the failure `name`; `data` itself where none is found in time."""
    until = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while True:
        at = 0
        before = len(data)
        while at < len(data):
            if time.monotonic() > until:
                return data
            shorter = data[:at] + data[at + size :]
            if failure_of(target, shorter) == name:
                data = shorter
            else:
                at += size
        if size == 1 and len(data) == before:
            return data
        size = max(1, size // 2)
