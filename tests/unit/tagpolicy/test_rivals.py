"""What pinner answers where tools for updates agree, argue, or are stuck."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import FileProblems
from pinner.spec import parse_spec
from pinner.tagpolicy import choose_tag
from support.tables import params, read_rows

if TYPE_CHECKING:
    from pinner.spec import SpecEntry

TABLE = "tags/rivals.toml"
DIFFERENT = {14, 16, 20, 21, 25, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37}


def entry_of(row: dict[str, Any]) -> SpecEntry:
    text = f"[images]\nx = {row['entry']}\n"
    (entry,) = parse_spec(text.encode(), path="images.toml", base=Path()).entries
    return entry


@pytest.mark.parametrize("row", params(TABLE, lambda row: f"{row['row']} {row['entry']}"))
def test_what_an_update_takes(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(FileProblems) as refused:
            entry_of(row)
        assert row["error"] in str(refused.value)
        return
    entry = entry_of(row)
    taken = entry.tag if entry.wish is None else choose_tag(row["tags"], entry.wish)
    assert taken == row.get("chosen")


def test_every_row_of_the_table_is_here() -> None:
    assert {row["row"] for row in read_rows(TABLE)} == set(range(1, 38))


def test_every_difference_has_its_reason() -> None:
    assert {row["row"] for row in read_rows(TABLE) if "why" in row} == DIFFERENT
