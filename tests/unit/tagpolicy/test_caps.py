"""A tag moves within its cap, and never below what was written."""

from __future__ import annotations

from typing import Any

import pytest

from pinner.tagpolicy import InvalidWish
from pinner.tagpolicy.caps import Cap, CapWish
from support.tables import params


@pytest.mark.parametrize("row", params("tags/caps.toml"))
def test_what_a_cap_admits(row: dict[str, Any]) -> None:
    wish = CapWish(floor=row["floor"], cap=Cap(row["update"]))
    assert wish.ranked(row["tags"]) == tuple(row["ranked"])
    assert wish.ranked([*reversed(row["tags"]), *row["tags"]]) == tuple(row["ranked"])


@pytest.mark.parametrize("row", params("tags/caps.toml"))
def test_admitting_needs_no_other_tags(row: dict[str, Any]) -> None:
    wish = CapWish(floor=row["floor"], cap=Cap(row["update"]))
    assert {tag for tag in row["tags"] if wish.admits(tag)} == set(row["ranked"])
    assert wish.admits(row["floor"])


@pytest.mark.parametrize("floor", ["latest", "bookworm", "8u504", "17.0.2_8-jre", "0a1b2c3"])
def test_a_floor_that_is_no_version(floor: str) -> None:
    with pytest.raises(InvalidWish, match="is not a version"):
        CapWish(floor=floor, cap=Cap.MINOR)


def test_messages_name_the_tag_and_the_cap() -> None:
    wish = CapWish(floor="22.11.0-alpine", cap=Cap.MINOR)
    assert str(wish) == 'tag "22.11.0-alpine", update "minor"'
