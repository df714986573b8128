"""The picture in docs/images: who sends the bytes that jobs want, as SVG (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.results import Row

_TIERS: Final = (
    ("own", "the runner's own store"),
    ("ci", "the CI's cache"),
    ("site", "the site's server"),
    ("mirror", "mirror or cache"),
    ("registry", "the public registry"),
)
_TITLE: Final = "Who sends the bytes that a day's jobs want"
_WIDTH: Final = 920
_LEFT: Final = 300
_WIDE: Final = 470
_TOP: Final = 100
_STEP: Final = 30
_HIGH: Final = 20
_STYLE: Final = """\
svg { color-scheme: light dark; --page: #fcfcfb; --ink: #1a1a19; --soft: #6b6a66; --grid: #e4e3df;
  --own: #b9d7b0; --ci: #8fb8de; --site: #4f9d69; --mirror: #2a78d6; --registry: #d9541e; }
@media (prefers-color-scheme: dark) {
  svg { --page: #1a1a19; --ink: #f2f1ee; --soft: #a3a29c; --grid: #383835;
    --own: #3f5a3a; --ci: #3d6187; --site: #2fb583; --mirror: #5b9ff0; --registry: #f07a45; }
}
text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.title { font-weight: 600; font-size: 15px; fill: var(--ink); }
.name { font-size: 13px; fill: var(--ink); }
.grid { stroke: var(--grid); }
.own { fill: var(--own); }
.ci { fill: var(--ci); }
.site { fill: var(--site); }
.mirror { fill: var(--mirror); }
.registry { fill: var(--registry); }
.page { fill: var(--page); }"""


def draw(rows: Sequence[Row]) -> str:
    """A bar for each strategy; behind it, the manifest GETs that are counted."""
    bottom = _TOP + _STEP * len(rows)
    parts = [f'<text class="title" x="20" y="26">{_TITLE}</text>', *_legend()]
    right = _LEFT + _WIDE + 12
    parts.append(f'<text x="{right}" y="{_TOP - 12}">manifest GETs</text>')
    parts.append(f'<text x="{right}" y="{_TOP - 26}">public registry\'s</text>')
    for share in (0, 25, 50, 75, 100):
        x = _LEFT + _WIDE * share / 100
        parts.append(f'<line class="grid" x1="{x}" y1="{_TOP - 6}" x2="{x}" y2="{bottom}"/>')
        parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{share}%</text>')
    for number, row in enumerate(rows):
        y = _TOP + _STEP * number
        text = y + _HIGH - 5
        parts.append(
            f'<text class="name" x="{_LEFT - 10}" y="{text}" text-anchor="end">'
            f"{row.strategy}</text>"
        )
        left = float(_LEFT)
        for tier, _ in _TIERS:
            wide = round(row.served[tier] / row.wanted * _WIDE, 1)
            if wide:
                parts.append(
                    f'<rect class="{tier}" x="{left:.1f}" y="{y}" width="{wide}" height="{_HIGH}"/>'
                )
            left += wide
        parts.append(f'<text class="name" x="{right}" y="{text}">{row.gets:,}</text>')
    body = "\n".join(parts)
    high = bottom + 32
    return (
        f'<svg viewBox="0 0 {_WIDTH} {high}" xmlns="http://www.w3.org/2000/svg" role="img">\n'
        f"<title>{_TITLE}</title>\n<style>\n{_STYLE}\n</style>\n"
        f'<rect class="page" width="{_WIDTH}" height="{high}"/>\n{body}\n</svg>\n'
    )


def _legend() -> list[str]:
    parts = []
    left = 20
    for tier, name in _TIERS:
        parts += [
            f'<rect class="{tier}" x="{left}" y="40" width="14" height="14"/>',
            f'<text class="name" x="{left + 20}" y="52">{name}</text>',
        ]
        left += 48 + 7 * len(name)
    return parts
