from __future__ import annotations

import pytest

from pinner.registry.ratelimit import exhausted_quota, wait_asked_for

NOW = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20 GMT
GHCR = "toomanyrequests: retry-after: 863.373s, allowed: 44000/minute"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param("1", 1, id="H09-seconds"),
        pytest.param("0", 0, id="H09-now"),
        pytest.param("86400", 86400, id="H09-a-day"),
        pytest.param("1.5", 1.5, id="fraction"),
        pytest.param("Mon, 21 Sep 2026 14:14:20 GMT", 60, id="H09-date"),
        pytest.param("Mon, 21 Sep 2026 14:14:20 -0000", 60, id="H09-date-without-zone"),
        pytest.param("Mon, 21 Sep 2026 14:00:00 GMT", 0, id="H09-past-date"),
        pytest.param("-1", None, id="H09-negative"),
        pytest.param("x", None, id="H09-nonsense"),
        pytest.param("9" * 40, None, id="huge"),
        pytest.param("٣", None, id="other-digits"),
        pytest.param("", None, id="H09-absent"),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    headers = {"retry-after": value} if value else {}
    assert wait_asked_for(headers, "", now=NOW) == seconds


def test_ghcr_says_it_in_the_body() -> None:
    assert wait_asked_for({}, GHCR, now=NOW) == 863.373


def test_the_header_comes_before_the_body() -> None:
    assert wait_asked_for({"retry-after": "2"}, GHCR, now=NOW) == 2


@pytest.mark.parametrize(
    ("limit", "remaining", "quota"),
    [
        ("100;w=21600", "0;w=21600", "100 pulls in 6 h"),
        ("100;w=90", "0;w=90", "100 pulls in 90 s"),
        ("100;w=21600", "1;w=21600", None),
        ("100", "0", None),
        ("", "", None),
    ],
)
def test_quota(limit: str, remaining: str, quota: str | None) -> None:
    found = exhausted_quota({"ratelimit-limit": limit, "ratelimit-remaining": remaining})
    assert (None if found is None else str(found)) == quota
