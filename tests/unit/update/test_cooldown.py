"""minimum-age over days: what is held, what is taken instead, and that nothing starves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.update import (
    Age,
    Alarm,
    Evidence,
    Held,
    IndexOnly,
    SeenLog,
    Unchanged,
    Updated,
)
from support.images import image, index, layer
from support.updating import DAY, START, Story, at

if TYPE_CHECKING:
    from pinner.update import UpdateOutcome, Waiting

DEBIAN = '[settings]\nminimum-age = "3d"\n[images]\ndebian = "debian:bookworm"'
NODE = '[settings]\nminimum-age = "3d"\n[images]\nnode = { image = "node", version = ">=22" }'


@pytest.fixture
def story() -> Story:
    """debian:bookworm, locked, and the tag was seen to name the pin."""
    story = Story(DEBIAN)
    story.push("debian:bookworm", "one")
    story.lock()
    story.update()
    story.pass_days(1)
    return story


@pytest.fixture
def unseen() -> Story:
    """debian:bookworm, locked; no update ever ran."""
    story = Story(DEBIAN)
    story.push("debian:bookworm", "one")
    story.lock()
    return story


def day(number: float) -> datetime:
    return datetime.fromtimestamp(START + number * DAY, UTC)


def held(outcome: UpdateOutcome) -> Waiting:
    assert isinstance(outcome, Held), outcome
    return outcome.waiting


def updated(outcome: UpdateOutcome) -> Updated:
    assert isinstance(outcome, Updated), outcome
    return outcome


def age(since: float, evidence: Evidence) -> Age:
    return Age(since=day(since), evidence=evidence)


class TestEvidence:
    def test_the_registrys_time_of_the_manifest(self, unseen: Story) -> None:
        unseen.push("debian:bookworm", "two", created=at(-30), manifest_time=START - DAY)
        waiting = held(unseen.outcome())
        assert (waiting.age, waiting.matures) == (age(-1, Evidence.REGISTRY), day(2))
        assert unseen.asked == {"head": 1, "manifest": 1}
        unseen.pass_days(2)
        assert updated(unseen.outcome()).age == age(-1, Evidence.REGISTRY)

    def test_the_registrys_time_of_the_config(self, unseen: Story) -> None:
        unseen.push("debian:bookworm", "two", created=at(-30), config_time=START - DAY)
        assert held(unseen.outcome()).age == age(-1, Evidence.REGISTRY)
        assert unseen.asked == {"head": 1, "manifest": 2, "blob": 1}
        unseen.outcome()
        assert unseen.asked == {"head": 1, "manifest": 1}, "the log remembers"

    def test_our_own_first_sight_where_the_tag_was_watched(self, story: Story) -> None:
        story.push("debian:bookworm", "two", created=at(-30))
        waiting = held(story.outcome())
        assert (waiting.age, waiting.matures) == (age(1, Evidence.OBSERVED), day(4))
        assert story.asked == {"head": 1, "manifest": 1}
        story.pass_days(2.9)
        assert held(story.outcome()) == waiting
        story.pass_days(0.1)
        assert updated(story.outcome()).age == age(1, Evidence.OBSERVED)

    def test_the_publishers_date_where_it_was_not(self, unseen: Story) -> None:
        unseen.push("debian:bookworm", "two", created=at(-10))
        assert updated(unseen.outcome()).age == age(-10, Evidence.CREATED)
        assert unseen.asked == {"head": 1, "manifest": 2, "blob": 1}

    def test_a_young_publishers_date(self, unseen: Story) -> None:
        unseen.push("debian:bookworm", "two", created=at(-1))
        waiting = held(unseen.outcome())
        assert (waiting.age, waiting.matures) == (age(-1, Evidence.CREATED), day(2))

    @pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "", at(1), "soon"])
    def test_no_evidence_is_held_until_our_first_sight_is_old_enough(
        self, unseen: Story, created: str
    ) -> None:
        unseen.push("debian:bookworm", "two", created=created)
        waiting = held(unseen.outcome())
        assert (waiting.age, waiting.matures) == (None, day(3))
        unseen.pass_days(3)
        assert updated(unseen.outcome()).age == age(0, Evidence.OBSERVED)

    def test_the_host_platform_tells_when_it_moved(self, unseen: Story) -> None:
        unseen.push_image(
            "debian:bookworm",
            index(
                image("linux/amd64", layer("new", 10), created=at(-2)),
                image("linux/arm64", layer("new", 20), created=at(-1)),
            ),
        )
        for host, days in (("linux/amd64", -2), ("linux/arm64", -1), ("linux/s390x", -2)):
            outcome = unseen.outcome(host=Platform.parse(host))
            assert held(outcome).age == age(days, Evidence.CREATED), host

    def test_a_platform_that_did_not_move_vouches_for_nobody(self) -> None:
        amd64 = image("linux/amd64", layer("same", 10), created=at(-100))
        story = Story(DEBIAN)
        story.push_image("debian:bookworm", index(amd64, "linux/arm64"))
        story.lock()
        arm64 = image("linux/arm64", layer("new", 10), created=at(-1))
        story.push_image("debian:bookworm", index(amd64, arm64))
        assert held(story.outcome()).age == age(-1, Evidence.CREATED)

    def test_without_a_minimum_age_nothing_is_looked_for(self, unseen: Story) -> None:
        unseen.spec = '[images]\ndebian = "debian:bookworm"'
        unseen.push("debian:bookworm", "two", created=at(0))
        assert updated(unseen.outcome()).age is None
        assert unseen.asked == {"head": 1, "manifest": 1}


class TestWish:
    def test_the_entrys_own_wins(self, story: Story) -> None:
        story.spec = (
            '[settings]\nminimum-age = "3d"\n'
            '[images]\ndebian = { image = "debian:bookworm", minimum-age = "0" }'
        )
        story.push("debian:bookworm", "two")
        updated(story.outcome())

    def test_the_command_lines_wins_over_both(self, story: Story) -> None:
        story.spec = '[images]\ndebian = { image = "debian:bookworm", minimum-age = "3d" }'
        story.push("debian:bookworm", "two")
        assert held(story.outcome(minimum_age=timedelta(days=7))).minimum_age == timedelta(days=7)
        updated(story.outcome(minimum_age=timedelta(0)))

    def test_an_index_that_moved_alone_is_not_judged(self) -> None:
        story = Story(f'[settings]\nplatforms = ["linux/amd64"]\nminimum-age = "3d"\n{DEBIAN[29:]}')
        story.push("debian:bookworm", "one", "linux/amd64")
        story.lock()
        story.push("debian:bookworm", "one", "linux/amd64", "linux/arm64")
        assert isinstance(story.outcome(), IndexOnly)

    def test_an_alarm_comes_first(self, story: Story) -> None:
        story.spec = (
            '[images]\ndebian = { image = "debian:bookworm", immutable = true, minimum-age = "3d" }'
        )
        story.push("debian:bookworm", "two")
        assert isinstance(story.outcome(), Alarm)


class TestPromotion:
    def test_a_tag_that_is_rebuilt_daily_still_gets_its_fixes(self, story: Story) -> None:
        pins, taken = [], []
        for number in range(1, 9):
            pins.append(story.push("debian:bookworm", f"day {number}"))
            outcome = story.outcome()
            if isinstance(outcome, Updated):
                taken.append((number, pins.index(outcome.image.digest) + 1))
                assert outcome.waiting is not None
                assert outcome.waiting.digest == pins[-1]
            story.pass_days(1)
        assert taken == [(4, 1), (5, 2), (6, 3), (7, 4), (8, 5)]

    def test_what_is_held_is_what_matures_first(self, story: Story) -> None:
        first = story.push("debian:bookworm", "two")
        story.outcome()
        story.pass_days(1)
        story.push("debian:bookworm", "three")
        waiting = held(story.outcome())
        assert (waiting.digest, waiting.matures) == (first, day(4))

    def test_it_costs_a_head_and_a_get(self, story: Story) -> None:
        promoted = story.push("debian:bookworm", "two")
        story.outcome()
        story.pass_days(3)
        story.push("debian:bookworm", "three")
        outcome = updated(story.outcome())
        assert (outcome.image.digest, outcome.image.tag) == (promoted, "bookworm")
        assert outcome.age == age(1, Evidence.OBSERVED)
        assert story.asked == {"head": 2, "manifest": 2}

    def test_the_newest_that_is_old_enough_and_served(self, story: Story) -> None:
        digests = []
        for number in range(3):
            digests.append(story.push("debian:bookworm", f"build {number}"))
            story.update(dry=True)
            story.pass_days(0.1)
        story.pass_days(4)
        story.push("debian:bookworm", "newest")
        story.registry.forget(Reference.parse("debian").repository, digests[2])
        assert updated(story.outcome()).image.digest == digests[1]

    def test_not_where_head_says_nothing(
        self, story: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(story.registry, "head", lambda _: None)
        promoted = story.push("debian:bookworm", "two")
        story.outcome()
        story.pass_days(3)
        story.push("debian:bookworm", "three")
        assert updated(story.outcome()).image.digest == promoted, "a GET tells as well"

    def test_a_registry_that_answers_head_is_not_asked_for_what_is_gone(
        self, story: Story, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        story.push("debian:bookworm", "two")
        story.outcome()
        story.pass_days(3)
        head = story.registry.head
        monkeypatch.setattr(
            story.registry, "head", lambda one: None if one.digest is not None else head(one)
        )
        story.push("debian:bookworm", "three")
        held(story.outcome())
        assert story.asked == {"head": 1, "manifest": 1}

    def test_nothing_that_came_before_the_pin(self, story: Story) -> None:
        story.push("debian:bookworm", "two")
        story.outcome()
        story.pass_days(10)
        story.push("debian:bookworm", "three")
        story.spec = DEBIAN.replace("3d", "0")
        newest = updated(story.outcome()).image.digest
        story.spec = DEBIAN
        story.push("debian:bookworm", "four")
        held(story.outcome())
        assert story.pin("debian") == newest

    def test_nothing_that_was_seen_before_somebody_locked_by_hand(self, story: Story) -> None:
        story.push("debian:bookworm", "two")
        story.update(dry=True)
        story.pass_days(1)
        by_hand = story.push("debian:bookworm", "three")
        story.locked = type(story.locked)()
        story.lock()  # which the log knows nothing of
        story.pass_days(1)
        story.push("debian:bookworm", "four")
        story.update()
        story.pass_days(2)  # "two" is old enough by now, and older than the pin
        story.push("debian:bookworm", "five")
        held(story.outcome())
        assert story.pin("debian") == by_hand

    def test_another_entrys_pin_is_not_taken_for_newer(self) -> None:
        story = Story(DEBIAN.replace("debian =", "zebra ="))
        story.push("debian:bookworm", "older than debian's pin")
        story.lock()
        story.push("debian:bookworm", "debian's pin")
        story.spec = f'{DEBIAN}\nzebra = "debian:bookworm"'
        story.lock()
        gone = story.push("debian:bookworm", "gone")
        story.update()
        story.pass_days(5)
        story.registry.forget(Reference.parse("debian").repository, gone)
        story.push("debian:bookworm", "young")
        assert [type(outcome) for outcome in story.update().outcomes] == [Held, Held]

    def test_what_names_the_same_platforms_is_no_gain(self) -> None:
        story = Story(DEBIAN.replace("[images]", 'platforms = ["linux/amd64"]\n[images]'))
        story.push("debian:bookworm", "one", "linux/amd64")
        story.lock()
        story.update()
        story.push("debian:bookworm", "one", "linux/amd64", "linux/arm64")
        story.update()
        story.pass_days(5)
        story.push("debian:bookworm", "two", "linux/amd64")
        held(story.outcome())


class TestVersions:
    @pytest.fixture
    def node(self) -> Story:
        """node 22.1.0, locked and seen."""
        story = Story(NODE)
        story.push("node:22.1.0", "22.1.0")
        story.lock()
        story.update()
        return story

    def test_the_best_tag_that_is_old_enough(self, node: Story) -> None:
        node.push("node:22.2.0", "22.2.0", created=at(-5))
        node.push("node:22.3.0", "22.3.0", created=at(-4))
        young = node.push("node:22.4.0", "22.4.0", created=at(-1))
        outcome = updated(node.outcome())
        assert outcome.image.tag == "22.3.0"
        assert outcome.age == age(-4, Evidence.CREATED)
        assert outcome.waiting is not None
        assert (outcome.waiting.tag, outcome.waiting.digest) == ("22.4.0", young)
        assert outcome.waiting.matures == day(2)

    def test_all_too_young_are_held_and_the_pins_own_tag_is_looked_at(self, node: Story) -> None:
        node.push("node:22.2.0", "22.2.0", created=at(-1))
        waiting = held(node.outcome())
        assert (waiting.tag, waiting.matures) == ("22.2.0", day(2))
        assert node.asked == {"tags": 1, "head": 2, "manifest": 2, "blob": 1}

    def test_at_most_five_better_tags_are_looked_at(self, node: Story) -> None:
        for minor in range(2, 12):
            node.push(f"node:22.{minor}.0", str(minor), manifest_time=START)
        node.push("node:22.2.0", "old", manifest_time=START - 30 * DAY)
        held(node.outcome())
        assert node.asked == {"tags": 1, "head": 6, "manifest": 5}

    def test_the_pins_own_tag_that_was_rebuilt(self, node: Story) -> None:
        node.push("node:22.2.0", "22.2.0", manifest_time=START)
        digest = node.push("node:22.1.0", "again", manifest_time=START - 5 * DAY)
        outcome = updated(node.outcome())
        assert (outcome.image.tag, outcome.image.digest) == ("22.1.0", digest)
        assert outcome.waiting is not None
        assert outcome.waiting.tag == "22.2.0"

    def test_an_older_digest_of_a_better_tag(self, node: Story) -> None:
        first = node.push("node:22.2.0", "22.2.0")
        held(node.outcome())
        node.pass_days(3)
        node.push("node:22.2.0", "again")
        outcome = updated(node.outcome())
        assert (outcome.image.tag, outcome.image.digest) == ("22.2.0", first)

    def test_a_tag_of_the_pins_image_ends_the_walk(self, node: Story) -> None:
        node.push("node:22.3.0", "22.3.0", created=at(-1))
        node.push("node:22.2.0", "22.1.0")  # the pin's very image
        held(node.outcome())
        assert node.asked["head"] == 2

    def test_a_pins_tag_that_is_gone_while_better_ones_mature(self, node: Story) -> None:
        node.push("node:22.2.0", "22.2.0", created=at(-1))
        node.registry.untag(Reference.parse("node:22.1.0"))
        held(node.outcome())


class TestMemory:
    def test_dry_runs_remember_too(self, story: Story) -> None:
        story.push("debian:bookworm", "two")
        story.update(dry=True)
        story.pass_days(3)
        updated(story.outcome())

    def test_a_clock_that_goes_back_makes_nothing_older(self, story: Story) -> None:
        story.pass_days(-100)
        story.push("debian:bookworm", "two")
        held(story.outcome())
        story.pass_days(100)
        held(story.outcome())

    def test_what_is_newly_locked_is_seen(self) -> None:
        story = Story(DEBIAN)
        digest = story.push("debian:bookworm", "one")
        story.update()
        ((sighting,),) = story.seen.tags.values()
        assert (sighting.digest, sighting.pinned) == (digest, False)

    def test_what_is_locked_for_other_platforms_is_not(self, unseen: Story) -> None:
        unseen.spec = DEBIAN.replace("[images]", 'platforms = ["linux/amd64"]\n[images]')
        unseen.push("debian:bookworm", "two")
        unseen.update()
        assert unseen.seen == SeenLog(), "only its manifest was asked for"

    def test_an_unchanged_entry_is_watched(self, unseen: Story) -> None:
        assert isinstance(unseen.outcome(), Unchanged)
        unseen.pass_days(1)
        unseen.push("debian:bookworm", "two", created=at(-30))
        assert held(unseen.outcome()).age == age(1, Evidence.OBSERVED)


steps = st.lists(
    st.tuples(
        st.floats(0.1, 2),  # days that pass
        st.booleans(),  # whether the tag moves
        st.sampled_from([None, -30.0, -1.0, 0.0]),  # created, days before the push
        st.booleans(),  # whether the registry tells the time
    ),
    min_size=1,
    max_size=8,
)


@given(steps)
def test_what_was_old_enough_yesterday_is_old_enough_today(
    days: list[tuple[float, bool, float | None, bool]],
) -> None:
    story = Story(DEBIAN)
    story.push("debian:bookworm", "start")
    story.lock()
    current = story.pin("debian")
    taken = None
    for number, (passed, moves, created, timed) in enumerate(days):
        story.pass_days(passed)
        if moves:
            made = at((story.now - START) / DAY + created) if created is not None else ""
            time = story.now if timed else None
            current = story.push("debian:bookworm", f"{number}", created=made, manifest_time=time)
            taken = None
        outcome = story.outcome(dry=True)
        if isinstance(outcome, Updated) and outcome.image.digest == current:
            taken = current
        elif taken == current:
            pytest.fail(f"{outcome} after it had been taken")
