"""Old enough or not: design section 8, as a table, and what must hold whatever the evidence is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.update.age import Clues, created_time, judge, registry_time
from pinner.update.model import Evidence

DAY = 86_400
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp()
THREE_DAYS = timedelta(days=3)
OLD, TIGHT, YOUNG = NOW - 10 * DAY, NOW - 3 * DAY, NOW - DAY
EPOCH, YEAR_ONE, FUTURE = 0.0, -62_135_596_800.0, NOW + 1

REGISTRY, OBSERVED, CREATED = Evidence.REGISTRY, Evidence.OBSERVED, Evidence.CREATED

# what is known -> old enough?, the evidence that decides, and when it matures
CASES = [
    # The registry's own time counts for more than the publisher's and than a late first sight.
    ("registry-old", Clues(registry=OLD, first_seen=NOW), True, REGISTRY, OLD),
    ("registry-exactly", Clues(registry=TIGHT, first_seen=NOW), True, REGISTRY, TIGHT),
    ("registry-a-second-short", Clues(registry=TIGHT + 1, first_seen=NOW), False, REGISTRY, None),
    ("registry-young", Clues(registry=YOUNG, first_seen=NOW, created=OLD), False, REGISTRY, YOUNG),
    (
        "registry-old-watched",
        Clues(registry=OLD, first_seen=NOW, watched=True),
        True,
        REGISTRY,
        OLD,
    ),
    ("registry-ahead", Clues(registry=FUTURE, first_seen=NOW, created=OLD), False, OBSERVED, NOW),
    # Pushed again: the registry's time is new, and we know better.
    ("pushed-again", Clues(registry=YOUNG, first_seen=OLD), True, OBSERVED, OLD),
    ("pushed-again-young", Clues(registry=NOW, first_seen=YOUNG), False, OBSERVED, YOUNG),
    # We watched the tag: first sight decides, whatever the publisher says.
    ("watched-old", Clues(first_seen=OLD, watched=True), True, OBSERVED, OLD),
    ("watched-young", Clues(first_seen=YOUNG, watched=True), False, OBSERVED, YOUNG),
    ("watched-claims", Clues(first_seen=NOW, watched=True, created=OLD), False, OBSERVED, NOW),
    # We did not: the publisher's claim, if it can be one.
    ("claim-old", Clues(first_seen=NOW, created=OLD), True, CREATED, OLD),
    ("claim-young", Clues(first_seen=NOW, created=YOUNG), False, CREATED, YOUNG),
    ("claim-younger-than-sight", Clues(first_seen=OLD, created=YOUNG), True, OBSERVED, OLD),
    # No evidence: held until our own first sight is old enough.
    ("none", Clues(first_seen=NOW), False, None, NOW),
    ("none-yesterday", Clues(first_seen=YOUNG), False, None, YOUNG),
    ("none-by-now", Clues(first_seen=TIGHT), True, OBSERVED, TIGHT),
    ("epoch", Clues(first_seen=YOUNG, created=EPOCH), False, None, YOUNG),
    ("epoch-and-a-second", Clues(first_seen=YOUNG, created=1.0), False, None, YOUNG),
    ("year-one", Clues(first_seen=YOUNG, created=YEAR_ONE), False, None, YOUNG),
    ("zip-zero", Clues(first_seen=YOUNG, created=315_532_800.0), False, None, YOUNG),
    ("future", Clues(first_seen=YOUNG, created=FUTURE), False, None, YOUNG),
    # A log from a clock that was ahead makes nothing older.
    ("seen-tomorrow", Clues(first_seen=NOW + DAY, watched=True), False, OBSERVED, NOW + DAY),
]


@pytest.mark.parametrize(
    ("clues", "old_enough", "evidence", "since"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_judges(
    clues: Clues, *, old_enough: bool, evidence: Evidence | None, since: float | None
) -> None:
    verdict = judge(clues, minimum_age=THREE_DAYS, now=NOW)
    assert verdict.old_enough is old_enough
    assert (verdict.age.evidence if verdict.age else None) == evidence
    if since is not None:
        moment = datetime.fromtimestamp(since, UTC)
        assert verdict.matures == moment + THREE_DAYS
        assert verdict.age is None or verdict.age.since == moment


@pytest.mark.parametrize(
    ("clues", "settled"),
    [
        (Clues(first_seen=NOW), False),
        (Clues(first_seen=YOUNG), False),
        (Clues(first_seen=OLD), True),
        (Clues(first_seen=NOW, watched=True), True),
        (Clues(first_seen=NOW, registry=YOUNG), True),
    ],
)
def test_the_publishers_date_is_looked_for_only_where_it_can_decide(
    clues: Clues, *, settled: bool
) -> None:
    assert judge(clues, minimum_age=THREE_DAYS, now=NOW).settled is settled


times = st.integers(0, int(NOW) + 30 * DAY).map(float)
clues = st.builds(
    Clues,
    registry=st.none() | times,
    first_seen=times,
    watched=st.booleans(),
    created=st.none() | times,
)
ages = st.integers(0, 60 * DAY).map(lambda seconds: timedelta(seconds=seconds))


@given(clues, ages, times, times)
def test_what_is_old_enough_stays_so(
    known: Clues, minimum_age: timedelta, one: float, other: float
) -> None:
    earlier, later = sorted((one, other))
    if judge(known, minimum_age=minimum_age, now=earlier).old_enough:
        assert judge(known, minimum_age=minimum_age, now=later).old_enough


@given(clues, ages, times)
def test_it_is_old_enough_from_the_moment_that_was_said(
    known: Clues, minimum_age: timedelta, now: float
) -> None:
    matures = judge(known, minimum_age=minimum_age, now=now).matures.timestamp()
    then = judge(known, minimum_age=minimum_age, now=max(now, matures))
    assert then.old_enough


@given(clues, ages, times)
def test_nothing_is_taken_before_its_best_evidence_is_old_enough(
    known: Clues, minimum_age: timedelta, now: float
) -> None:
    if judge(known, minimum_age=minimum_age, now=now).old_enough:
        evidence = [known.first_seen, known.registry, known.created]
        assert (
            min(time for time in evidence if time is not None) <= now - minimum_age.total_seconds()
        )


@given(clues, ages, times)
def test_a_claim_never_beats_what_we_know(known: Clues, minimum_age: timedelta, now: float) -> None:
    verdict = judge(known, minimum_age=minimum_age, now=now)
    if verdict.age and verdict.age.evidence is Evidence.CREATED:
        assert known.registry is None
        assert not known.watched


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-02T03:04:05Z", 1_767_323_045),
        ("2026-01-02T03:04:05.123456789Z", 1_767_323_045.123456),
        ("2026-01-02T05:04:05+02:00", 1_767_323_045),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", YEAR_ONE),
        ("2026-01-02T03:04:05", None),  # whose noon?
        ("2026-01-02", None),
        ("yesterday", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_reads_created(text: str, seconds: float | None) -> None:
    assert created_time(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(None, None), (0.0, None), (1.0, None), (-1.0, None), (1e12, None), (1.7e9, 1_700_000_000)],
)
def test_a_registrys_zero_is_no_evidence(seconds: float | None, kept: int | None) -> None:
    assert registry_time(seconds) == kept
