"""The results as Markdown, and the place in docs/updates.md where they stand (pure)."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from replay.course import TOOLS
from replay.registry import Dates

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replay.results import Row

BEGIN: Final = "<!-- replay:begin, written by `make replay` -->"
END: Final = "<!-- replay:end -->"
_KINDS: Final = ("HEAD", "GET", "tag list")


def render(rows: Sequence[Row]) -> str:
    """All tables."""
    record = [row for row in rows if not row.nightly]
    nightly = [row for row in rows if row.nightly]
    daily = next(row for row in record if row.every == 1)
    made = next(row for row in nightly if row.every == 1)
    return "\n\n".join(
        [
            f"**As recorded** (the tags moved {daily.moves:,} times; {daily.runs} daily updates)",
            lags(record),
            f"**Made up: every image rebuilt every night** (the tags moved {made.moves:,} times)",
            lags(nightly),
            "**Requests of pinner, as recorded**",
            requests(record),
        ]
    )


def lags(rows: Iterable[Row]) -> str:
    """Updates, lags and starving entries; tools that did the very same share a line."""
    head = (
        "| minimum-age | registry tells | tool | updates | too young | mean lag | worst lag"
        " | starve | weekly: mean lag | worst lag | starve |"
    )
    lines = [head, "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    ordered = sorted(rows, key=_place)
    for (age, dates), several in groupby(ordered, key=lambda row: (row.minimum_age, row.dates)):
        cells: dict[str, list[str]] = {}
        for tool, pair in groupby(several, key=lambda row: row.tool):
            daily, weekly = pair
            cells.setdefault(_figures(daily, weekly), []).append(tool)
        for figures, tools in cells.items():
            told = Dates[dates].value if age else "anything"
            lines.append(f"| {_age(age)} | {told} | {', '.join(tools)} | {figures} |")
    return "\n".join(lines)


def requests(rows: Iterable[Row]) -> str:
    """What pinner asked for: in all, and in each run."""
    head = (
        "| minimum-age | registry tells | run | HEAD | GET | tag lists"
        " | in each run: HEAD | GET | tag lists |"
    )
    lines = [head, "|---|---|---|---:|---:|---:|---:|---:|---:|"]
    for row in sorted(rows, key=_place):
        if row.tool != "pinner":
            continue
        told = Dates[row.dates].value if row.minimum_age else "anything"
        counts = [row.asked[kind] for kind in _KINDS]
        cells = [f"{count:,}" for count in counts] + [f"{n / row.runs:.1f}" for n in counts]
        cadence = "daily" if row.every == 1 else "weekly"
        lines.append(f"| {_age(row.minimum_age)} | {told} | {cadence} | {' | '.join(cells)} |")
    return "\n".join(lines)


def placed(page: str, text: str) -> str:
    """The page with this text between its markers.

    Raises:
        ValueError: it has no markers.
    """
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _place(row: Row) -> tuple[int, int, int, int]:
    dates = [one.name for one in Dates].index(row.dates)
    return row.minimum_age, dates, TOOLS.index(row.tool), row.every


def _figures(daily: Row, weekly: Row) -> str:
    cells = [
        f"{daily.updates:,}",
        f"{daily.young:,}",
        *(
            cell
            for row in (daily, weekly)
            for cell in (f"{row.mean:.1f} d", f"{row.worst:.1f} d", str(len(row.starved)))
        ),
    ]
    return " | ".join(cells)


def _age(days: int) -> str:
    return f"{days}d" if days else "0"
