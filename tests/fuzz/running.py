"""What a fuzzing process does about itself: which input it runs now, and what it may use.

FOLDER/running is memory that outlives the process: how many inputs were run, a checksum of them all
in their order, and the last one. So a process that dies in C, or is stopped there, tells by which
input; and two runs tell whether they were the same.

Limits are of processor time and of memory, never of the clock: a busy machine is no finding.
"""

from __future__ import annotations

import contextlib
import mmap
import resource
import signal
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from fuzz.target import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of a process; what does not fit is a `MemoryError`, and so a failure with its input."""
_HARD: Final = 4 * DEADLINE  # where C does not return, so that no deadline of ours is seen
_HEAD: Final = struct.Struct("<QII")
_ROOM: Final = 1024 * 1024
_FILE: Final = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a process was doing, or had done when it ended.

    Attributes:
        executed: inputs that were begun.
        checksum: of all of them, in their order.
        last: the last one; what is behind the first megabyte is cut off.
    """

    executed: int
    checksum: int
    last: bytes


class Running:
    """Notes each input before it is run.

    Attributes:
        executed: inputs that were begun.
    """

    def __init__(self, folder: Path) -> None:
        """Begin with none."""
        with (folder / _FILE).open("wb+") as file:
            file.truncate(_HEAD.size + _ROOM)
            self._memory = mmap.mmap(file.fileno(), 0)
        self.executed = 0
        self._checksum = 0

    @contextlib.contextmanager
    def input(self, data: bytes) -> Iterator[None]:
        """Within, this input is the one; the process dies if it never comes back out of C."""
        self.executed += 1
        self._checksum = zlib.crc32(data, self._checksum)
        kept = data[:_ROOM]
        _HEAD.pack_into(self._memory, 0, self.executed, self._checksum, len(kept))
        self._memory[_HEAD.size : _HEAD.size + len(kept)] = kept
        signal.setitimer(signal.ITIMER_VIRTUAL, _HARD)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    @classmethod
    def limited(cls, folder: Path) -> Self:
        """The same, for a process that has a limit of memory from now on."""
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return cls(folder)


def seen(folder: Path) -> Seen:
    """What the process that runs, or ran, in this folder has noted."""
    try:
        data = (folder / _FILE).read_bytes()
    except FileNotFoundError:
        return Seen(executed=0, checksum=0, last=b"")
    executed, checksum, size = _HEAD.unpack_from(data)
    return Seen(executed=executed, checksum=checksum, last=data[_HEAD.size : _HEAD.size + size])
