"""Ages, sizes and columns as docker/go-units and docker/cli have them."""

from __future__ import annotations

import pytest

from pinner.output.dockerlike import ago, short_size, table

HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "Less than a second ago"),
        (0.9, "Less than a second ago"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "About a minute ago"),
        (119, "About a minute ago"),
        (120, "2 minutes ago"),
        (3599, "59 minutes ago"),
        (HOUR, "About an hour ago"),
        (1.5 * HOUR, "2 hours ago"),
        (47 * HOUR, "47 hours ago"),
        (2 * DAY, "2 days ago"),
        (14 * DAY - 1, "13 days ago"),
        (14 * DAY, "2 weeks ago"),
        (60 * DAY - 1, "8 weeks ago"),
        (60 * DAY, "2 months ago"),
        (729 * DAY, "24 months ago"),
        (730 * DAY, "2 years ago"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (1536, "1.54kB"),
        (45_100_000, "45.1MB"),
        (117_049_000, "117MB"),
        (999_499, "999kB"),
        (999_500, "1MB"),
        (1_234_000_000, "1.23GB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert short_size(count) == text


def test_columns_are_ten_wide_at_least_and_three_apart() -> None:
    assert table([["TAG", "ID", "X"], ["bookworm-slim", "1", "y"]]) == (
        "TAG             ID        X\nbookworm-slim   1         y\n"
    )
