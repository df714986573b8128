"""Entries that choose among tags: which tag, at which price, and never a lower one."""

from __future__ import annotations

import pytest

from pinner.errors import NotFound
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.update import Alarm, Held, Unchanged, Updated
from support.updating import DAY, START, Story

NODE = '[images]\nnode = { image = "node", version = ">=22,<23", variant = "alpine" }'


@pytest.fixture
def story() -> Story:
    """node 22.11.0-alpine, locked."""
    story = Story(NODE)
    story.push("node:22.11.0-alpine", "22.11.0")
    story.lock()
    return story


def tag(story: Story) -> str | None:
    return story.locked.images[0].tag


def test_an_unchanged_one_is_a_tag_list_and_a_head(story: Story) -> None:
    assert isinstance(story.outcome(), Unchanged)
    assert story.asked == {"tags": 1, "head": 1}


def test_the_best_tag_is_taken(story: Story) -> None:
    for version in ("22.12.0", "22.13.1", "22.13.0", "23.0.0"):
        story.push(f"node:{version}-alpine", version)
    story.push("node:22.14.0", "another variant")
    outcome = story.outcome()
    assert isinstance(outcome, Updated)
    assert (outcome.before.tag, outcome.image.tag) == ("22.11.0-alpine", "22.13.1-alpine")
    assert story.asked == {"tags": 1, "head": 1, "manifest": 1}


def test_a_rebuilt_tag_moves_its_pin(story: Story) -> None:
    digest = story.push("node:22.11.0-alpine", "22.11.0 again")
    outcome = story.outcome()
    assert isinstance(outcome, Updated)
    assert (outcome.image.tag, outcome.image.digest) == ("22.11.0-alpine", digest)


def test_entries_of_one_repository_share_its_tag_list() -> None:
    wishes = [
        f'n{n} = {{ image = "node", version = "=={n}.*", variant = "alpine" }}' for n in (20, 22)
    ]
    story = Story("\n".join(["[images]", *wishes]))
    for version in ("20.1.0", "22.1.0"):
        story.push(f"node:{version}-alpine", version)
    story.lock()
    story.update(jobs=2)
    assert story.asked == {"tags": 1, "head": 2}


def test_a_better_tag_of_the_very_image_is_no_update(story: Story) -> None:
    story.push("node:22.11.1-alpine", "22.11.0")
    pin = story.locked.images[0]
    assert story.outcome() == Unchanged(name="node", image=pin, alias="22.11.1-alpine")
    assert story.asked == {"tags": 1, "head": 1}


def test_nor_is_one_of_the_very_platforms() -> None:
    story = Story(f'[settings]\nplatforms = ["linux/amd64"]\n{NODE}')
    story.push("node:22.11.0-alpine", "same", "linux/amd64")
    story.lock()
    story.push("node:22.11.1-alpine", "same", "linux/amd64", "linux/arm64")
    outcome = story.outcome()
    assert isinstance(outcome, Unchanged)
    assert outcome.alias == "22.11.1-alpine"


def test_a_tag_that_is_listed_no_more_is_kept_as_long_as_it_answers(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story.registry, "tags", lambda _: ("22.9.0-alpine", "latest"))
    story.push("node:22.9.0-alpine", "22.9.0")
    result = story.update()
    assert isinstance(result.outcomes[0], Unchanged)
    (warning,) = result.warnings
    assert warning.startswith("node: the registry does not list the tag 22.11.0-alpine any more")
    digest = story.push("node:22.11.0-alpine", "22.11.0 again")
    assert isinstance(story.outcome(), Updated)
    assert story.pin("node") == digest


def test_a_tag_that_is_gone_never_leads_to_a_lower_one(story: Story) -> None:
    story.push("node:22.9.0-alpine", "22.9.0")
    story.registry.untag(Reference.parse("node:22.11.0-alpine"))
    result = story.update()
    (failed,) = result.outcomes
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NotFound)
    assert tag(story) == "22.11.0-alpine"


def test_a_tag_that_is_gone_leads_to_a_higher_one(story: Story) -> None:
    story.push("node:22.12.0-alpine", "22.12.0")
    story.registry.untag(Reference.parse("node:22.11.0-alpine"))
    result = story.update()
    assert isinstance(result.outcomes[0], Updated)
    assert result.warnings == ()
    assert tag(story) == "22.12.0-alpine"


@pytest.mark.parametrize(
    ("entry", "older", "locked", "newest"),
    [
        pytest.param(
            r"""tags = '^noble-(?P<version>[0-9]{8}(?:\.[0-9]+)?)$'""",
            "noble-20240904.1",
            "noble-20241015",
            "noble-20241118.1",
            id="tags",
        ),
        pytest.param(
            'version = "==9.*", variant = "*"',
            "9.5-900.1600000000",
            "9.6-1700000000",
            "9.7-923.1773204619",
            id="version",
        ),
    ],
)
def test_while_the_newest_matures_a_pin_that_does_not_compete_with_it_never_goes_back(
    entry: str, older: str, locked: str, newest: str
) -> None:
    story = Story(f'[images]\nbase = {{ image = "base", {entry}, minimum-age = "3d" }}')
    story.push(f"base:{older}", "older", manifest_time=START - 90 * DAY)
    story.push(f"base:{locked}", "locked", manifest_time=START - 30 * DAY)
    story.lock()
    assert tag(story) == locked
    story.push(f"base:{newest}", "newest", manifest_time=START)
    assert isinstance(story.outcome(), Held)
    story.pass_days(3)
    story.update()
    assert tag(story) == newest


def test_a_listed_tag_that_is_gone_is_passed_over(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.push("node:22.12.0-alpine", "22.12.0")
    listed = (*story.registry.tags(Reference.parse("node").repository), "22.13.0-alpine")
    monkeypatch.setattr(story.registry, "tags", lambda _: listed)
    assert isinstance(story.outcome(), Updated)
    assert tag(story) == "22.12.0-alpine"


def test_an_immutable_tag_may_give_way_to_a_better_one_and_never_move(story: Story) -> None:
    story.spec = NODE.replace(" }", ", immutable = true }")
    story.push("node:22.12.0-alpine", "22.12.0")
    assert isinstance(story.outcome(), Updated)
    story.push("node:22.12.0-alpine", "22.12.0 again")
    assert isinstance(story.outcome(), Alarm)


def test_no_tag_at_all(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story.registry, "tags", lambda _: ())
    assert isinstance(story.outcome(), Unchanged)


class TestCaps:
    """A tag, and how far an update may move from it."""

    @pytest.fixture
    def capped(self) -> Story:
        """redis 7.2.1, locked, with newer ones of every kind."""
        story = Story('[images]\nredis = { image = "redis", tag = "7.2.1", update = "patch" }')
        story.push("redis:7.2.1", "7.2.1")
        story.lock()
        for version in ("7.2.4", "7.4.0", "8.0.0", "7.2", "latest"):
            story.push(f"redis:{version}", version)
        return story

    @pytest.mark.parametrize(
        ("cap", "moved_to"),
        [("patch", "7.2.4"), ("minor", "7.4.0"), ("major", "8.0.0"), ("digest", None)],
    )
    def test_the_best_tag_within_the_cap(
        self, capped: Story, cap: str, moved_to: str | None
    ) -> None:
        capped.spec = capped.spec.replace("patch", cap)
        outcome = capped.outcome()
        if moved_to is None:
            assert isinstance(outcome, Unchanged)
            assert capped.asked == {"head": 1}, "no tag list for a tag that stays"
        else:
            assert isinstance(outcome, Updated)
            assert outcome.image.tag == moved_to
            assert capped.asked == {"tags": 1, "head": 1, "manifest": 1}

    def test_the_pin_that_moved_is_fresh_and_moves_on(self, capped: Story) -> None:
        assert isinstance(capped.outcome(), Updated)
        assert isinstance(capped.outcome(), Unchanged)
        capped.push("redis:7.2.5", "7.2.5")
        assert isinstance(capped.outcome(), Updated)
        assert tag(capped) == "7.2.5"
