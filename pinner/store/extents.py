"""Which bytes of a blob are here: disjoint extents [start, end), and the text they are kept as.

The journal of a partial is lines of `start end` in decimal. Each append begins with a line feed,
so a tail torn by a crash spoils at most itself: what does not parse, or contradicts, is left out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE: Final = re.compile(rb"^([0-9]{1,19}) ([0-9]{1,19})$", re.MULTILINE)


class Extents:
    """A set of offsets as disjoint runs in order; neighbours are merged."""

    __slots__ = ("_ends", "_starts", "total")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.total = 0

    def add(self, start: int, end: int) -> bool:
        """Take [start, end) in; False, and nothing changes, where a part of it is in already."""
        if start >= end:
            return start == end
        starts, ends = self._starts, self._ends
        if ends and start == ends[-1]:  # nearly always: the next piece in order
            ends[-1] = end
            self.total += end - start
            return True
        after = bisect_right(starts, start)
        if (after and ends[after - 1] > start) or (after < len(starts) and starts[after] < end):
            return False
        self.total += end - start
        joins_left = after > 0 and ends[after - 1] == start
        joins_right = after < len(starts) and starts[after] == end
        if joins_left and joins_right:
            ends[after - 1] = ends[after]
            del starts[after], ends[after]
        elif joins_left:
            ends[after - 1] = end
        elif joins_right:
            starts[after] = start
        else:
            starts.insert(after, start)
            ends.insert(after, end)
        return True

    def copy(self) -> Extents:
        """An equal set of its own."""
        twin = Extents()
        twin._starts, twin._ends, twin.total = self._starts[:], self._ends[:], self.total
        return twin

    @property
    def end(self) -> int:
        """The offset behind the last byte of the last run; 0 where there is none."""
        return self._ends[-1] if self._ends else 0

    def run_end(self, position: int) -> int:
        """The end of the run that holds `position` or stops at it; `position` itself if none."""
        index = bisect_right(self._starts, position) - 1
        return max(self._ends[index], position) if index >= 0 else position

    def gaps(self, size: int) -> tuple[tuple[int, int], ...]:
        """What is missing of [0, size), in order."""
        edges = [0, *(edge for run in self for edge in run), size]
        pairs = zip(edges[::2], edges[1::2], strict=True)
        return tuple((start, end) for start, end in pairs if start < end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._ends, strict=True))

    def dumps(self) -> bytes:
        """The runs as text to append to a journal."""
        return b"\n" + b"".join(b"%d %d\n" % run for run in self)

    @classmethod
    def loads(cls, text: bytes) -> Self:
        """The runs of a journal; a line that is none, or overlaps an earlier one, is left out.

        A line cut short says less than was meant or nothing, never more: digits are lost from the
        end.
        """
        found = cls()
        for line in _LINE.finditer(text):
            found.add(int(line[1]), int(line[2]))
        return found
