"""A long file on its way to the disk while it is still written.

One `fsync` at the end of gigabytes takes long, and nothing interrupts it, not even a kill. So a
thread syncs what is there, again and again, and the writer waits where it is too far ahead: the
bytes that the disk still lacks stay few, and waiting for them stays short.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pinner.fsio.reading import release

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY: Final = 32 * 1024 * 1024
_AHEAD: Final = 128 * 1024 * 1024
_LOOK: Final = 0.25  # seconds after which a signal is noticed that ended no wait


class Writeback:
    """Syncs a file that one thread writes; that thread calls the methods."""

    def __init__(self, fd: int) -> None:
        """Sync the file of `fd`, which stays the caller's."""
        self._fd = fd
        self._changed = threading.Condition()
        self._written = 0
        self._synced = 0
        self._is_running = False
        self._is_stopped = False
        self._error: OSError | None = None

    def wrote(self, count: int) -> None:
        """`count` more bytes are in the file; waits while the disk is far behind.

        Raises:
            OSError: the disk failed, perhaps for bytes that were written before.
        """
        with self._changed:
            self._written += count
            if not self._is_running and self._written >= _EVERY:
                self._is_running = True
                fd = os.dup(self._fd)  # the thread may be in a call when the writer closes its own
                threading.Thread(
                    target=self._work, args=(fd,), name="pinner-writeback", daemon=True
                ).start()
            self._changed.notify_all()
            self._wait(lambda: self._written - self._synced <= _AHEAD)

    def finish(self) -> None:
        """Wait until every byte is on the disk.

        Raises:
            OSError: the disk failed.
        """
        with self._changed:
            if self._is_running:
                self._wait(lambda: self._written - self._synced < _EVERY)
        os.fsync(self._fd)

    def stop(self) -> None:
        """Sync nothing more; does not wait for what is under way."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def _wait(self, is_near: Callable[[], bool]) -> None:
        while self._is_running and self._error is None and not is_near():
            self._changed.wait(_LOOK)
        if self._error is not None:
            raise self._error

    def _work(self, fd: int) -> None:
        try:
            while (written := self._due()) is not None:
                os.fsync(fd)
                with self._changed:
                    self._synced = written
                    self._changed.notify_all()
        except OSError as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            release(fd)

    def _due(self) -> int | None:
        """How much is written, once that is worth a sync; None when there shall be none."""
        with self._changed:
            while not self._is_stopped and self._written - self._synced < _EVERY:
                self._changed.wait()
            return None if self._is_stopped else self._written
