"""A wildcard stands for one whole run of dotted numbers, and a pattern reads in one way only."""

from __future__ import annotations

from typing import Any

import pytest

from pinner.tagpolicy import InvalidWish, choose_tag
from pinner.tagpolicy.variants import Variant
from pinner.tagpolicy.versions import VersionWish
from support.tables import params


@pytest.mark.parametrize(
    "row", params("tags/variants.toml", lambda row: f"{row['pattern']} {row['variant']!r}")
)
def test_the_numbers_of_a_variant(row: dict[str, Any]) -> None:
    numbers = Variant(row["pattern"]).numbers(row["variant"])
    found = None if numbers is None else [list(run) for run in numbers]
    assert found == row.get("numbers")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("alpine3*", "has a digit beside a wildcard"),
        ("*3", "has a digit beside a wildcard"),
        ("**", "has nothing to divide two wildcards"),
        ("*.*", "has nothing to divide two wildcards"),
        ("*.1.*", "has nothing to divide two wildcards"),
        ("a*b*c*d*e*", "has more than 4 wildcards"),
        ("a/*", "cannot be the end of a tag"),
        ("-*", "begins with a hyphen"),
        ("", "cannot be the end of a tag"),
        ("a?", "cannot be the end of a tag"),
    ],
)
def test_what_reads_in_two_ways_or_fits_no_tag_is_refused(text: str, error: str) -> None:
    with pytest.raises(InvalidWish) as refused:
        Variant.parse(text)
    assert error in refused.value.what


@pytest.mark.parametrize("length", [2, 30, 59])
def test_a_hostile_variant_costs_no_more_than_its_length(length: int) -> None:
    # Four runs, and an end that fits none of the ways to divide them: with an ambiguous pattern
    # this would not come back.
    variant = "-".join(["1." * length + "1"] * 4) + "x"
    assert Variant("*-*-*-*").numbers(variant) is None


@pytest.mark.parametrize(
    ("variant", "tags", "ranked"),
    [
        pytest.param(
            "alpine*",
            ["22.12.0-alpine3.20", "22.13.0-alpine3.21", "22.13.0-alpine3.9", "22.13.0-alpine"],
            ["22.13.0-alpine3.21", "22.13.0-alpine3.9", "22.12.0-alpine3.20"],
            id="the version first, then the variant's numbers",
        ),
        pytest.param(
            "alpine*",
            ["1.2-alpine20240101", "1.2-alpine3.20", "1.1-alpine20230101", "1.1-alpine3.19"],
            ["1.2-alpine3.20", "1.1-alpine3.19"],
            id="dates do not compete with releases of as new a version",
        ),
        pytest.param(
            "*",
            ["9.7-1773204619", "9.7-1773299999", "9.6-1773399999", "9.5-923.1669829893", "9.7"],
            ["9.7-1773299999", "9.7-1773204619", "9.6-1773399999"],
            id="another count of numbers does not compete, the newest says which",
        ),
        pytest.param(
            "debian-*-r*",
            [
                "2.1.3-debian-10-r38",
                "2.1.3-debian-10-r9",
                "2.1.3-debian-11-r1",
                "2.1.2-debian-12-r1",
            ],
            [
                "2.1.3-debian-11-r1",
                "2.1.3-debian-10-r38",
                "2.1.3-debian-10-r9",
                "2.1.2-debian-12-r1",
            ],
            id="numbers in their order",
        ),
        pytest.param(
            "rc*",
            ["1.2.3-rc1", "1.2.3-rc2", "1.2.3", "1.2.4"],
            ["1.2.3-rc2", "1.2.3-rc1"],
            id="a candidate never becomes the release",
        ),
        pytest.param(
            "alpine*",
            ["1.2-alpine3.9", "v1.2-alpine3.10", "1.1-alpine3.8", "v1.1-alpine3.8"],
            ["v1.2-alpine3.10", "v1.1-alpine3.8"],
            id="the form of the best",
        ),
        pytest.param(
            "alpine*",
            ["22-alpine3.21", "22.1.0-alpine3.20"],
            ["22.1.0-alpine3.20"],
            id="the most precise",
        ),
    ],
)
def test_tags_whose_variant_moves(variant: str, tags: list[str], ranked: list[str]) -> None:
    wish = VersionWish(specifier=">=0", variant=variant)
    assert wish.ranked(tags) == tuple(ranked)
    assert choose_tag(reversed(tags), wish) == ranked[0]
