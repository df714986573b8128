"""Aligned columns of text, as every command prints its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "  "


def columns(
    rows: Iterable[Sequence[str]],
    *,
    indent: int = 2,
    right: Iterable[int] = (),
    spill: bool = False,
) -> str:
    """One line for each row, columns as wide as their longest cell, no blanks at a line's end.

    Args:
        rows: cells already safe to print; a shorter row leaves its last columns empty.
        indent: blanks before each row.
        right: indexes of the columns that are aligned to the right, such as sizes.
        spill: the last cell of a shorter row runs on below the columns behind it.

    Returns:
        The lines, each with its line feed; empty where there is no row.
    """
    table = [list(row) for row in rows]
    widths = [0] * max((len(row) for row in table), default=0)
    for row in table:
        for index, cell in enumerate(row[:-1] if spill else row):
            widths[index] = max(widths[index], len(cell))
    numeric = frozenset(right)

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.rjust(widths[index]) if index in numeric else cell.ljust(widths[index])
            for index, cell in enumerate(row)
        )
        return f"{' ' * indent}{_GAP.join(cells)}".rstrip() + "\n"

    return "".join(map(line, table))
