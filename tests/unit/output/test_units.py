"""Sizes, durations and counts, as a table of what a person sees."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.output import units


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (45_123_456, "45.1 MB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (151_000_000, "151.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (7 * 10**18, "7000.0 PB"),
    ],
)
def test_sizes_are_decimal(count: int, text: str) -> None:
    assert units.size(count) == text


@given(st.integers(min_value=0, max_value=10**17))
def test_no_size_needs_more_than_three_digits_before_the_point(count: int) -> None:
    assert len(units.size(count).split(" ")[0].split(".")[0]) <= 3


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (71_200_000, 151_000_000, "71.2/151.0 MB"),
        (0, 512, "0/512 B"),
        (5_000, 2_000_000_000, "0.0/2.0 GB"),
    ],
)
def test_progress_is_in_the_unit_of_the_total(done: int, total: int, text: str) -> None:
    assert units.size_of(done, total) == text


def test_a_rate_is_a_size_for_each_second() -> None:
    assert units.rate(96_300_000.4) == "96.3 MB/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (0.6, "0.6 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3600, "1 h 0 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0:00:00"), (1.2, "0:00:01"), (75, "0:01:15"), (36_061, "10:01:01"), (-3, "0:00:00")],
)
def test_time_left(seconds: float, text: str) -> None:
    assert units.countdown(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7_300, "2 hours ago"),
        (86_400 * 9, "9 days ago"),
        (86_400 * 65, "2 months ago"),
        (86_400 * 800, "2 years ago"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert units.age(seconds) == text


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (1, "image", "1 image"),
        (0, "image", "0 images"),
        (4, "image", "4 images"),
        (2, "entry", "2 entries"),
    ],
)
def test_counts(count: int, noun: str, text: str) -> None:
    assert units.plural(count, noun) == text


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_listings(words: list[str], text: str) -> None:
    assert units.listing(words) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        pytest.param(45_100_000, 45_200_000, "45.1 → 45.2 MB", id="one unit"),
        pytest.param(999_000, 1_200_000, "999.0 kB → 1.2 MB", id="two units"),
        pytest.param(45_100_000, 45_100_001, "45.1 MB", id="reads the same"),
        pytest.param(5, 7, "5 → 7 B", id="bytes"),
        pytest.param(5, 7_000, "5 B → 7.0 kB", id="bytes and more"),
    ],
)
def test_size_change(before: int, after: int, text: str) -> None:
    assert units.size_change(before, after) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, ""), (60, "1 minute"), (9 * 86400 + 5, "9 days"), (40 * 86400, "1 month")],
)
def test_span(seconds: float, text: str) -> None:
    assert units.span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "under a minute old"),
        (59, "under a minute old"),
        (60, "1 minute old"),
        (3 * 3600, "3 hours old"),
        (86_400, "1 day old"),
        (29 * 86_400, "29 days old"),
        (800 * 86_400, "2 years old"),
    ],
)
def test_how_old(seconds: float, text: str) -> None:
    assert units.old(seconds) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-11-26T00:00:00+00:00", "26 Nov"),
        ("2026-11-26T23:30:00-02:00", "27 Nov"),
        ("2027-01-01T00:30:00+01:00", "31 Dec"),
        ("2027-01-01T00:00:00+00:00", "1 Jan 2027"),
        ("2025-02-03T00:00:00+00:00", "3 Feb 2025"),
    ],
)
def test_days_have_a_year_where_it_is_another(moment: str, text: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert units.day(datetime.fromisoformat(moment), now) == text


def test_moments_in_documents_are_in_utc() -> None:
    assert units.iso(datetime.fromisoformat("2026-11-26T12:00:00.9+02:00")) == (
        "2026-11-26T10:00:00Z"
    )
