"""How long transfers take on a link that they share evenly (pure)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def shared(flows: Sequence[tuple[float, float]], *, capacity: float, each: float) -> list[float]:
    """The seconds that each transfer takes.

    All that are under way at a moment get the same rate: `each`, or less where `capacity` is used
    up.

    Args:
        flows: when each begins, in the order of time, and its bytes.
        capacity: bytes a second of the link.
        each: bytes a second that one transfer gets at most.
    """
    took = [0.0] * len(flows)
    under_way: list[tuple[float, int]] = []  # by what a transfer from the start would have by then
    now = got = 0.0

    def run_until(end: float) -> None:
        nonlocal now, got
        while under_way:
            rate = min(each, capacity / len(under_way))
            done, number = under_way[0]
            if now + (done - got) / rate > end:
                got += (end - now) * rate
                break
            now += (done - got) / rate
            got = done
            heappop(under_way)
            took[number] = now - flows[number][0]
        now = end

    for number, (begun, size) in enumerate(flows):
        run_until(begun)
        heappush(under_way, (got + size, number))
    run_until(float("inf"))
    return took
