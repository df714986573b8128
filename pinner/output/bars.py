"""The rows of the live display, as pure functions: counts and a width in, cells out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.output.tally import State
from pinner.output.units import countdown, plural, rate, size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.output.tally import ImageRow, TotalRow

MOST_ROWS: Final = 10
_BAR: Final = 24
_NAME: Final = 24
# What a row needs beside name and bar: indent and gaps, `118.9/262.4 MB`, `96.3 MB/s  0:00:01`.
_REST: Final = 46
_LEAST_BAR: Final = 6
_FULL: Final = "█"
_HALF: Final = "▌"
# When there are more images than rows, the ones that move are shown first.
_URGENCY: Final = {State.ACTIVE: 0, State.FAILED: 1, State.WAITING: 2, State.DONE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One row of the display; what stands before and behind the bar is padded to columns."""

    name: str
    bar: str
    state: State
    figures: str


def bars(
    images: Sequence[ImageRow], total: TotalRow, *, speed: float, width: int, height: int
) -> list[Bar]:
    """The rows to show: images in their order, then the total.

    Args:
        images: every image of the run.
        total: their sum.
        speed: bytes a second.
        width: columns of the terminal; narrow ones get short bars, then none.
        height: lines of the terminal; never more rows than fit.
    """
    room = max(1, min(MOST_ROWS, height - 1)) - 1
    ranked = sorted(range(len(images)), key=lambda index: _URGENCY[images[index].state])
    chosen = [images[index] for index in sorted(ranked[:room])]
    names = [_cut(image.name) for image in chosen]
    name_width = max(map(len, [*names, "total"]))
    bar_width = min(_BAR, width - name_width - _REST)
    counted: list[ImageRow | TotalRow] = [*chosen, total]
    shares = [_share(row) for row in counted]
    sizes = [size_of(row.done, row.size) for row in counted]
    size_width = max(map(len, sizes))
    tails = [_tail(image) for image in chosen]
    tails.append(_total_tail(total, speed, hidden=len(chosen) < len(images)))
    states = [image.state for image in chosen] + [State.ACTIVE]
    rows = zip([*names, "total"], shares, states, sizes, tails, strict=True)
    return [
        Bar(
            name=f"  {name.ljust(name_width)}  ",
            bar="" if state is State.WAITING else _bar(share, bar_width),
            state=state,
            figures="waiting" if state is State.WAITING else f"{text.ljust(size_width)}  {tail}",
        )
        for name, share, state, text, tail in rows
    ]


def _bar(share: float, width: int) -> str:
    if width < _LEAST_BAR:
        return ""
    halves = int(share * width * 2)
    return (_FULL * (halves // 2) + _HALF * (halves % 2)).ljust(width + 2)


def _share(row: ImageRow | TotalRow) -> float:
    return min(1.0, max(0.0, row.done / row.size)) if row.size else 1.0


def _tail(image: ImageRow) -> str:
    if image.state is State.FAILED:
        return "failed"
    if image.state is State.ACTIVE:
        return f"{image.blobs_done} of {plural(image.blobs, 'blob')}"
    return ""


def _total_tail(total: TotalRow, speed: float, *, hidden: bool) -> str:
    parts = [rate(speed)] if speed else []
    if speed:
        parts.append(countdown((total.size - total.done) / speed))
    if hidden:
        parts.append(f"{total.images_done} of {plural(total.images, 'image')}")
    return "  ".join(parts)


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
