"""The picture of docs/performance.md: how time and memory grow, as SVG (pure). Both axes are
logarithmic: what grows in line with the number of images is a straight line of one slope."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TITLE: Final = "How time and memory grow with the number of images"
_LINES: Final = ("a", "b", "c", "d", "e", "f", "g")
_WIDTH: Final = 920
_HEIGHT: Final = 404
_LEFT: Final = 62
_TOP: Final = 156
_WIDE: Final = 380
_HIGH: Final = 190
_GAP: Final = 82
_STYLE: Final = """\
svg { color-scheme: light dark; --page: #fcfcfb; --ink: #1a1a19; --soft: #6b6a66; --grid: #e4e3df;
  --a: #2a78d6; --b: #d9541e; --c: #138a5e; --d: #8a4fbf; --e: #b38600; --f: #c2326b;
  --g: #5f6b76; }
@media (prefers-color-scheme: dark) {
  svg { --page: #1a1a19; --ink: #f2f1ee; --soft: #a3a29c; --grid: #383835;
    --a: #5b9ff0; --b: #f07a45; --c: #2fb583; --d: #b48ae0; --e: #d9b13b; --f: #ee6f9e;
    --g: #9aa7b3; }
}
text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.title { font-weight: 600; font-size: 15px; fill: var(--ink); }
.name { font-size: 13px; fill: var(--ink); }
.grid { stroke: var(--grid); }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.a { stroke: var(--a); } .b { stroke: var(--b); } .c { stroke: var(--c); } .d { stroke: var(--d); }
.e { stroke: var(--e); } .f { stroke: var(--f); } .g { stroke: var(--g); }
.page { fill: var(--page); }"""


def draw(
    sizes: Sequence[int],
    seconds: Mapping[str, Sequence[float]],
    megabytes: Mapping[str, Sequence[float]],
) -> str:
    """Two panels, a line for each command in both.

    Args:
        sizes: numbers of images, in order.
        seconds: by command, one for each size.
        megabytes: peak memory, likewise.
    """
    parts = [
        f'<text class="title" x="{_LEFT}" y="26">{_TITLE}</text>',
        *_legend(tuple(seconds)),
        *_panel(_LEFT, "seconds", sizes, seconds, (0.01, 0.1, 1, 10)),
        *_panel(_LEFT + _WIDE + _GAP, "MB of memory", sizes, megabytes, (10, 30, 100, 300)),
    ]
    body = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" xmlns="http://www.w3.org/2000/svg" role="img">\n'
        f"<title>{_TITLE}</title>\n<style>\n{_STYLE}\n</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>\n{body}\n</svg>\n'
    )


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, (name, line) in enumerate(zip(names, _LINES, strict=False)):
        x, y = _LEFT + number % 3 * 270, 48 + number // 3 * 22
        parts += [
            f'<line class="line {line}" x1="{x}" y1="{y}" x2="{x + 24}" y2="{y}"/>',
            f'<text class="name" x="{x + 30}" y="{y + 4}">{name}</text>',
        ]
    return parts


def _panel(
    left: int,
    name: str,
    sizes: Sequence[int],
    values: Mapping[str, Sequence[float]],
    marks: Sequence[float],
) -> list[str]:
    low, high = marks[0], max(marks[-1], *(max(row) for row in values.values()))
    bottom = _TOP + _HIGH

    def x(size: int) -> float:
        return round(left + _share(size, sizes[0], sizes[-1]) * _WIDE, 1)

    def y(value: float) -> float:
        return round(bottom - _share(max(value, low), low, high) * _HIGH, 1)

    parts = [f'<text class="name" x="{left}" y="{_TOP - 16}">{name}</text>']
    for mark in marks:
        parts += [
            f'<line class="grid" x1="{left}" y1="{y(mark)}" x2="{left + _WIDE}" y2="{y(mark)}"/>',
            f'<text x="{left - 8}" y="{y(mark) + 4}" text-anchor="end">{mark:g}</text>',
        ]
    parts += [
        f'<text x="{x(size)}" y="{bottom + 18}" text-anchor="middle">{size:,}</text>'
        for size in sizes
    ]
    parts.append(
        f'<text x="{left + _WIDE / 2}" y="{bottom + 38}" text-anchor="middle">images</text>'
    )
    for row, line in zip(values.values(), _LINES, strict=False):
        points = " ".join(f"{x(size)},{y(one)}" for size, one in zip(sizes, row, strict=True))
        parts.append(f'<polyline class="line {line}" points="{points}"/>')
    return parts


def _share(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)
