"""Processes that die before their n-th call to the file system, or that are somebody else's."""

from __future__ import annotations

import os
import traceback

# Coverage replaces os._exit by one that saves what it has: here, what the parent will save too.
from posix import _exit
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_CALLS = (
    *("open", "mkdir", "rename", "replace", "link", "unlink", "ftruncate", "fchmod"),
    *("pwrite", "write", "fsync", "close"),
)
_DIED, _BROKE = 77, 78


def survives(action: Callable[[], None], *, calls: int) -> bool:
    """Whether `action`, in a process of its own, ends before it makes more than `calls` calls.

    The process dies in place of the call after that: no handler, no `finally` runs.
    """
    return _forked(lambda: _with_few_calls(action, calls))


def succeeds(action: Callable[[], None], *, uid: int) -> bool:
    """Whether `action` raises nothing in a process of its own that belongs to the user `uid`."""

    def as_somebody_else() -> None:
        os.setuid(uid)
        action()

    return _forked(as_somebody_else)


def _forked(action: Callable[[], None]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001 - the parent must not see a second pytest
            traceback.print_exc()
            _exit(_BROKE)
        _exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, _DIED}, f"the action failed: {code}"
    return code == 0


def _with_few_calls(action: Callable[[], None], calls: int) -> None:
    left = calls

    def deadly(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if not left:
                _exit(_DIED)
            left -= 1
            return real(*args, **kwargs)

        return call

    for name in _CALLS:
        setattr(os, name, deadly(getattr(os, name)))
    action()
