"""Sizes, durations, ages and counts as people read them; sizes are decimal (1 MB = 10**6 bytes)."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_STEP = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_AGES = (
    (365 * _DAY, "year"),
    (30 * _DAY, "month"),
    (_DAY, "day"),
    (_HOUR, "hour"),
    (_MINUTE, "minute"),
)

# Not strftime's, whose names depend on the locale.
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def size(count: int) -> str:
    """`45.1 MB`; below 1000 in whole bytes."""
    unit = _unit_of(count)
    return f"{_in_unit(count, unit)} {_UNITS[unit]}"


def size_of(done: int, total: int) -> str:
    """`71.2/151.0 MB`: both in the unit of the total."""
    unit = _unit_of(total)
    return f"{_in_unit(done, unit)}/{_in_unit(total, unit)} {_UNITS[unit]}"


def size_change(before: int, after: int) -> str:
    """`45.1 → 45.2 MB`; one size where both read the same."""
    old_size, new_size = size(before), size(after)
    if old_size == new_size:
        return new_size
    number, unit = old_size.split()
    return f"{number if new_size.endswith(f' {unit}') else old_size} → {new_size}"


def rate(bytes_per_second: float) -> str:
    """`96.3 MB/s`."""
    return f"{size(round(bytes_per_second))}/s"


def duration(seconds: float) -> str:
    """How long something took: `0.6 s`, `42 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 9.95:  # noqa: PLR2004 - from here on, tenths say nothing
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def countdown(seconds: float) -> str:
    """Time left, of constant width below ten hours: `0:00:01`."""
    whole = max(0, round(seconds))
    return f"{whole // _HOUR}:{whole % _HOUR // _MINUTE:02}:{whole % _MINUTE:02}"


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits: `3 days ago`; `just now` below a minute."""
    length = span(seconds)
    return f"{length} ago" if length else "just now"


def old(seconds: float) -> str:
    """How old, in the largest unit that fits: `3 days old`; `under a minute old` below that."""
    return f"{span(seconds) or 'under a minute'} old"


def span(seconds: float) -> str:
    """A length of time in the largest unit that fits: `3 days`; empty below a minute."""
    for length, unit in _AGES:
        if seconds >= length:
            return plural(int(seconds // length), unit)
    return ""


def day(moment: datetime, now: datetime) -> str:
    """The day of a moment, in UTC: `26 Nov`; with its year if that is not the year of `now`."""
    moment = moment.astimezone(UTC)
    year = "" if moment.year == now.astimezone(UTC).year else f" {moment.year}"
    return f"{moment.day} {_MONTHS[moment.month - 1]}{year}"


def iso(moment: datetime) -> str:
    """A moment as documents have it, in UTC: `2026-11-26T10:00:00Z`."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def plural(count: int, noun: str) -> str:
    """`1 image`, `2 images`, `2 entries`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}s"


def listing(words: list[str]) -> str:
    """`a, b and c`."""
    if len(words) < 2:  # noqa: PLR2004 - nothing to join
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _unit_of(count: int) -> int:
    # 999_950 bytes would round to "1000.0 kB", so the step is taken where rounding takes it.
    unit = 0
    while unit < len(_UNITS) - 1 and count >= _STEP ** (unit + 1) * (1 if unit == 0 else 0.99995):
        unit += 1
    return unit


def _in_unit(count: int, unit: int) -> str:
    return str(count) if unit == 0 else f"{count / _STEP**unit:.1f}"
