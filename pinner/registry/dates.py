"""Dates as HTTP writes them (RFC 9110, 5.6.7)."""

from __future__ import annotations

from datetime import UTC


def http_date(text: str) -> float | None:
    """Seconds since the epoch; None for what is not a date."""
    if not text:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few answers have a date

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # no date, or numbers that no date has
        return None
    # Without a zone ("-0000") it is UTC, says RFC 5322.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
