"""The results as Markdown, and the place in docs/fuzzing.md where they stand (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fuzz.table import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fuzz.results import Row

BEGIN: Final = "<!-- fuzz:begin, written by `make fuzz` -->"
END: Final = "<!-- fuzz:end -->"
_HEAD: Final = (
    *("target", "what is read, and what must hold", "minutes", "inputs", "a second"),
    *("edges reached", "seeds", "kept since they reached more", "failures"),
)


def render(rows: Sequence[Row]) -> str:
    """The table, and what it comes to in a sentence."""
    inputs, minutes = sum(row.executed for row in rows), sum(row.seconds for row in rows) / 60
    failures = sum(len(row.failures) for row in rows)
    said = f"{inputs:,} inputs in {minutes:.0f} minutes, failures: {failures}."
    lines = [
        f"| {' | '.join(_HEAD)} |",
        f"|---|---|{'|'.join(['---:'] * (len(_HEAD) - 2))}|",
        *(f"| {' | '.join(_cells(row))} |" for row in rows),
    ]
    return "\n".join([said, "", *lines])


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


def _cells(row: Row) -> Iterable[str]:
    return (
        row.target,
        BY_NAME[row.target].about,
        f"{row.seconds / 60:.1f}",
        f"{row.executed:,}",
        f"{row.executed / max(1, row.seconds):,.0f}",
        f"{row.edges:,}",
        str(row.seeds),
        f"{row.new:,}",
        str(len(row.failures)),
    )
