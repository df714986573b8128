"""What is known of tags: merged from any number of runs, and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.update import seenlog
from pinner.update.observer import Observer
from pinner.update.seenlog import (
    SeenLog,
    Sighting,
    after,
    merged,
    sighting_of,
    watched_before,
)

if TYPE_CHECKING:
    import pytest

    from pinner.update.seenlog import History

DAY = 86_400
DEBIAN = Reference.parse("debian:bookworm")
REDIS = Reference.parse("redis:7")
A, B, C, D = (Digest.of(letter.encode()) for letter in "abcd")

sightings = st.builds(
    Sighting,
    digest=st.sampled_from([A, B, C, D]),
    first=st.integers(0, 5),
    last=st.integers(5, 9),
    registry=st.none() | st.integers(0, 9),
    pinned=st.booleans(),
)
histories = st.lists(sightings, max_size=6).map(lambda some: merged((), tuple(some)))
logs = st.dictionaries(st.sampled_from([DEBIAN, REDIS]), histories.filter(bool)).map(SeenLog)


def seen(digest: Digest, first: int, last: int | None = None) -> Sighting:
    return Sighting(digest=digest, first=first, last=first if last is None else last)


def known(log: SeenLog) -> set[tuple[Reference, Sighting]]:
    return {(key, sighting) for key, history in log.tags.items() for sighting in history}


@given(logs, logs)
def test_it_does_not_matter_which_of_two_runs_ends_first(one: SeenLog, other: SeenLog) -> None:
    assert known(one.merged(other)) == known(other.merged(one))


@given(logs, logs, logs)
def test_nor_how_many_there_are(one: SeenLog, two: SeenLog, three: SeenLog) -> None:
    assert known(one.merged(two).merged(three)) == known(one.merged(two.merged(three)))


@given(logs, logs)
def test_merging_again_changes_nothing(one: SeenLog, other: SeenLog) -> None:
    both = one.merged(other)
    assert both.merged(other) == both
    assert both.merged(both) == both


@given(logs, logs)
def test_nothing_that_either_knows_is_lost(one: SeenLog, other: SeenLog) -> None:
    both = one.merged(other)
    for key, sighting in known(one) | known(other):
        found = sighting_of(both.tags[key], sighting.digest)
        assert found is not None
        assert found.first <= sighting.first
        assert found.last >= sighting.last
        if sighting.registry is not None:
            assert found.registry is not None
            assert found.registry <= sighting.registry
        assert sighting.pinned or not found.pinned


@given(histories, histories)
def test_histories_are_in_the_order_of_first_sight(one: History, other: History) -> None:
    firsts = [sighting.first for sighting in merged(one, other)]
    assert firsts == sorted(firsts)


def test_a_tag_was_watched_where_it_named_another_digest_earlier() -> None:
    history = (seen(A, 1), seen(B, 1), seen(C, 2))
    assert [watched_before(history, digest) for digest in (A, B, C, D)] == [
        *(False, False, True, False)
    ]


def test_what_came_after_a_digest() -> None:
    history = (seen(A, 1), seen(B, 1), seen(C, 2))
    assert [one.digest for one in after(history, A)] == [B, C]
    assert after(history, C) == ()
    assert after(history, D) == ()


def test_what_was_not_met_for_90_days_is_forgotten() -> None:
    now = 200 * DAY
    log = SeenLog(
        {
            DEBIAN: (seen(A, 0, now - 90 * DAY), seen(B, 0, now - 90 * DAY - 1), seen(C, now)),
            REDIS: (seen(A, 5),),
        }
    )
    assert log.pruned(now).tags == {DEBIAN: (seen(A, 0, now - 90 * DAY), seen(C, now))}


def test_of_one_tag_the_last_met_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seenlog, "MOST_DIGESTS", 2)
    log = SeenLog({DEBIAN: (seen(A, 1, 9), seen(B, 2), seen(C, 3))})
    assert log.pruned(9).tags == {DEBIAN: (seen(A, 1, 9), seen(C, 3))}


def test_of_all_the_last_met_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seenlog, "MOST_SIGHTINGS", 2)
    log = SeenLog({DEBIAN: (seen(A, 1), seen(B, 2)), REDIS: (seen(C, 3),)})
    assert log.pruned(9).tags == {DEBIAN: (seen(B, 2),), REDIS: (seen(C, 3),)}


class TestObserver:
    def test_notes_when_a_digest_was_first_and_last_seen(self) -> None:
        first = Observer(SeenLog(), 1000.9)
        first.saw(DEBIAN, A)
        second = Observer(first.log, 2000.0)
        second.saw(DEBIAN.with_digest(A), A, registry=1_700_000_000.5)
        second.saw(DEBIAN, B)
        assert second.log.tags == {
            DEBIAN: (
                Sighting(digest=A, first=1000, last=2000, registry=1_700_000_000),
                seen(B, 2000),
            )
        }

    def test_a_clock_that_went_back_makes_nothing_older(self) -> None:
        ahead = Observer(SeenLog(), 5000.0)
        ahead.saw(REDIS, A)
        back = Observer(ahead.log, 10.0)
        back.saw(DEBIAN, B)
        assert back.log.tags[DEBIAN] == (seen(B, 5000),)

    def test_a_pin_counts_as_seen_before_what_its_tag_names_now(self) -> None:
        observer = Observer(SeenLog(), 1000.0)
        observer.pinned(DEBIAN, A)
        history = observer.saw(DEBIAN, B)
        assert [(one.digest, one.pinned) for one in history] == [(A, True), (B, False)]
        assert not watched_before(history, B), "nobody knows when the tag moved"

    def test_a_pin_that_the_tag_names_is_an_ordinary_sight(self) -> None:
        observer = Observer(SeenLog(), 1000.0)
        observer.pinned(DEBIAN, A)
        assert observer.saw(DEBIAN, A) == (seen(A, 1000),)
