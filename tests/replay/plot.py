"""The picture in docs/images: how soon pins followed their tags, as SVG (pure).

Three panels; in each, for every tool, the share of all moves that were followed within so many
days. Where two tools did the very same, their lines lie on one another, and one is dashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from replay.course import TOOLS
from replay.registry import Dates
from replay.results import PLOTTED, REACH, STEP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.results import Row

_PANELS: Final = (
    ("As recorded,", "the registry tells push times", False, Dates.PUSHES),
    ("As recorded,", "the registry tells nothing", False, Dates.NONE),
    ("Rebuilt nightly (made up),", "the registry tells push times", True, Dates.PUSHES),
)
_TITLE: Final = f"Moves of tags that pins have followed, minimum-age {PLOTTED}d, updated daily"
_DAYS: Final = "days after the tag moved"
_WIDTH: Final = 920
_HEIGHT: Final = 360
_LEFT: Final = 52
_TOP: Final = 122
_WIDE: Final = 262
_HIGH: Final = 180
_GAP: Final = 24
_BELOW: Final = _TOP + _HIGH + 38
_STYLE: Final = """\
svg { color-scheme: light dark; --page: #fcfcfb; --ink: #1a1a19; --soft: #6b6a66; --grid: #e4e3df;
  --pinner: #2a78d6; --renovate: #d9541e; --dependabot: #138a5e; }
@media (prefers-color-scheme: dark) {
  svg { --page: #1a1a19; --ink: #f2f1ee; --soft: #a3a29c; --grid: #383835;
    --pinner: #5b9ff0; --renovate: #f07a45; --dependabot: #2fb583; }
}
text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.title { font-weight: 600; font-size: 15px; fill: var(--ink); }
.name { font-size: 13px; fill: var(--ink); }
.grid { stroke: var(--grid); }
.age { stroke: var(--soft); stroke-dasharray: 2 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.pinner { stroke: var(--pinner); }
.renovate { stroke: var(--renovate); }
.dependabot { stroke: var(--dependabot); stroke-dasharray: 6 5; }
.page { fill: var(--page); }"""


def draw(rows: Sequence[Row]) -> str:
    """The picture of the rows that have a curve."""
    parts = [
        f'<text class="title" x="{_LEFT}" y="26">{_TITLE}</text>',
        *_legend(),
    ]
    for number, (first, second, nightly, dates) in enumerate(_PANELS):
        curves = {
            row.tool: row.curve
            for row in rows
            if row.curve and (row.nightly, row.dates) == (nightly, dates.name)
        }
        left = _LEFT + number * (_WIDE + _GAP)
        parts += [
            f'<text class="name" x="{left}" y="{_TOP - 26}">{first}</text>',
            f'<text class="name" x="{left}" y="{_TOP - 10}">{second}</text>',
            *_axes(left, with_shares=number == 0),
            *(
                f'<polyline class="line {tool.lower()}" points="{_points(left, curves[tool])}"/>'
                for tool in TOOLS
            ),
        ]
    body = "\n".join(parts)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" xmlns="http://www.w3.org/2000/svg" role="img">\n'
        f"<title>How soon pins followed their tags</title>\n<style>\n{_STYLE}\n</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>\n{body}\n</svg>\n'
    )


def _legend() -> list[str]:
    parts = []
    left = _LEFT
    for tool, wide in zip(TOOLS, (90, 105, 0), strict=True):
        parts += [
            f'<line class="line {tool.lower()}" x1="{left}" y1="46" x2="{left + 24}" y2="46"/>',
            f'<text class="name" x="{left + 30}" y="50">{tool}</text>',
        ]
        left += wide
    return parts


def _axes(left: int, *, with_shares: bool) -> list[str]:
    parts = []
    for share in (0, 25, 50, 75, 100):
        y = _y(share)
        parts.append(f'<line class="grid" x1="{left}" y1="{y}" x2="{left + _WIDE}" y2="{y}"/>')
        if with_shares:
            parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{share}%</text>')
    for day in range(0, REACH + 1, 10):
        x = _x(left, day)
        parts.append(f'<text x="{x}" y="{_TOP + _HIGH + 18}" text-anchor="middle">{day}</text>')
    age = _x(left, PLOTTED)
    parts += [
        f'<line class="age" x1="{age}" y1="{_TOP}" x2="{age}" y2="{_TOP + _HIGH}"/>',
        f'<text x="{age}" y="{_TOP + _HIGH + 18}" text-anchor="middle">{PLOTTED}</text>',
        f'<text x="{left + _WIDE / 2}" y="{_BELOW}" text-anchor="middle">{_DAYS}</text>',
    ]
    return parts


def _points(left: int, curve: Sequence[float]) -> str:
    return " ".join(f"{_x(left, number * STEP)},{_y(share)}" for number, share in enumerate(curve))


def _x(left: int, days: float) -> float:
    return round(left + days / REACH * _WIDE, 1)


def _y(share: float) -> float:
    return round(_TOP + (1 - share / 100) * _HIGH, 1)
