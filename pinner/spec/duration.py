"""Durations as `minimum-age` has them: `0`, `30m`, `12h`, `3d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from pinner.errors import InputError
from pinner.terminal import safe

_DURATION: Final = re.compile(r"(?P<count>[0-9]{1,5})(?P<unit>[mhdw])|0", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


class InvalidDuration(InputError, ValueError):  # noqa: N818 - `parse` raises `InvalidX`
    """Text that is not a duration."""

    code = "invalid-duration"


def parse_duration(text: str) -> timedelta:
    """The duration that `text` spells.

    Raises:
        InvalidDuration: it is not a whole number with one of the units m, h, d, w, nor `0`.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InvalidDuration(
            f'"{safe(text, limit=80)}" is not a duration',
            mend='write it like "30m", "12h", "3d" or "2w", or "0" for none',
        )
    return int(found["count"]) * _UNITS[found["unit"]] if found["unit"] else timedelta(0)


def duration_text(duration: timedelta) -> str:
    """A duration in the largest unit up to days that it is a whole number of: `3d`, `36h`."""
    for unit in ("d", "h", "m"):
        count, rest = divmod(duration, _UNITS[unit])
        if count and not rest:
            return f"{count}{unit}"
    return "0"
