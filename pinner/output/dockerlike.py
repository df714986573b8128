"""Tables, ages and sizes as docker prints them (docker/cli formatter, docker/go-units)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH: Final = 10  # least width of a column
_GAP: Final = 3
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")
_ROUNDS_UP: Final = 999.5  # three figures of this are 1000
_FIGURES: Final = 100
_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600
# Up to how many seconds a unit is used, and its length.
_SPANS: Final = (
    (_MINUTE, 1, "seconds"),
    (_HOUR, _MINUTE, "minutes"),
    (2 * _DAY, _HOUR, "hours"),
    (14 * _DAY, _DAY, "days"),
    (60 * _DAY, 7 * _DAY, "weeks"),
    (730 * _DAY, 30 * _DAY, "months"),
)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equal length under each other; the last column is not padded."""
    widths = [
        max(_WIDTH, *(len(cell) + _GAP for cell in column)) for column in zip(*rows, strict=True)
    ]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in rows
    )


def short_size(count: int) -> str:
    """`117MB`, `1.5kB`: three figures, decimal, without a blank."""
    number, unit = float(count), 0
    while number >= _ROUNDS_UP and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    text = f"{number:.0f}" if number >= _FIGURES else f"{number:.3g}"
    return f"{text}{_UNITS[unit]}"


def ago(seconds: float) -> str:
    """`3 weeks ago`, `About an hour ago`."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second ago"
    if whole == 1:
        return "1 second ago"
    if _MINUTE <= whole < 2 * _MINUTE:
        return "About a minute ago"
    if _HOUR <= whole < _HOUR + _HOUR // 2:
        return "About an hour ago"
    for end, length, noun in _SPANS:
        if whole < end:
            count = (whole + _HOUR // 2) // _HOUR if length == _HOUR else whole // length
            return f"{count} {noun} ago"
    return f"{whole // (365 * _DAY)} years ago"
