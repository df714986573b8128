"""Durations of minimum-age."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pinner.spec.duration import InvalidDuration, duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", timedelta(0)),
        ("0d", timedelta(0)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("3d", timedelta(days=3)),
        ("03d", timedelta(days=3)),
        ("2w", timedelta(weeks=2)),
        ("99999w", timedelta(weeks=99_999)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "3", "d", "3 d", "3D", "3s", "-3d", "1.5d", "3d12h", "P3D", "3d\n", "٣d", "100000d"],
)
def test_no_durations(text: str) -> None:
    with pytest.raises(InvalidDuration):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0"),
        (timedelta(minutes=30), "30m"),
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=12), "12h"),
        (timedelta(hours=36), "36h"),
        (timedelta(days=3), "3d"),
        (timedelta(weeks=2), "14d"),
    ],
)
def test_durations_as_text(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text
    assert parse_duration(text) == duration
