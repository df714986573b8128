"""What a registry says about how long to wait, and about quotas.

`Retry-After` is seconds or a date (RFC 9110, 10.2.3); ghcr.io writes seconds with a fraction into
the error's text instead; Docker Hub gives its pull quota in `RateLimit-Limit: 100;w=21600`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.registry.dates import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_IN_TEXT: Final = re.compile(
    r"retry-after:\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*s\b", re.ASCII | re.IGNORECASE
)
_QUOTA: Final = re.compile(r"([0-9]{1,9})\s*;\s*w=([0-9]{1,9})", re.ASCII)
_HOUR: Final = 3600


def wait_asked_for(headers: Mapping[str, str], text: str, *, now: float) -> float | None:
    """How many seconds the server asks to wait; None where it does not say, or nonsense.

    Args:
        headers: of the answer; names in lower case.
        text: the error body, where ghcr.io hides the number.
        now: seconds since the epoch, for dates.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    if value:
        moment = http_date(value)
        return None if moment is None else max(0.0, moment - now)
    found = _IN_TEXT.search(text)
    return float(found[1]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many pulls a registry allows in a window of time."""

    pulls: int
    seconds: int

    def __str__(self) -> str:
        if self.seconds % _HOUR == 0:
            return f"{self.pulls} pulls in {self.seconds // _HOUR} h"
        return f"{self.pulls} pulls in {self.seconds} s"


def exhausted_quota(headers: Mapping[str, str]) -> Quota | None:
    """The quota, where the answer says that nothing of it is left."""
    limit = _QUOTA.fullmatch(headers.get("ratelimit-limit", "").strip())
    left = _QUOTA.fullmatch(headers.get("ratelimit-remaining", "").strip())
    if not limit or not left or int(left[1]) > 0:
        return None
    return Quota(pulls=int(limit[1]), seconds=int(limit[2]))
