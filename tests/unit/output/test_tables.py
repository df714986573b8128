"""Columns align, and no line ends in blanks."""

from __future__ import annotations

from pinner.output.tables import columns


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    assert columns([("+ node", "22-alpine", "b6a3"), ("+ postgres", "16", "0f9e")]) == (
        "  + node      22-alpine  b6a3\n  + postgres  16         0f9e\n"
    )


def test_figures_align_to_the_right() -> None:
    assert columns([("a", "5.0 MB", "x"), ("b", "151.0 MB", "y")], right=[1], indent=0) == (
        "a    5.0 MB  x\nb  151.0 MB  y\n"
    )


def test_short_and_empty_last_cells_leave_no_blanks() -> None:
    assert columns([("a", "long", ""), ("b",)]) == "  a  long\n  b\n"


def test_the_last_cell_of_a_short_row_may_run_on() -> None:
    rows = [("a", "1", "x → y", "why"), ("b", "2", "held: until tomorrow"), ("c", "longer", "z")]
    assert columns(rows, spill=True, indent=0) == (
        "a  1       x → y  why\nb  2       held: until tomorrow\nc  longer  z\n"
    )


def test_no_rows_no_text() -> None:
    assert columns([]) == ""
