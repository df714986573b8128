"""Updates against a registry in memory: each outcome, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError, NotFound, Unavailable
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.resolve import Added, Changed, Removed
from pinner.spec import parse_spec
from pinner.update import (
    Alarm,
    IndexOnly,
    Pinned,
    SeenLog,
    Unchanged,
    Updated,
    run_update,
)
from support.images import image, index
from support.updating import HOST, START, Story

if TYPE_CHECKING:
    from pinner.oci.memory import MemorySource

DEBIAN = '[images]\ndebian = "debian:bookworm"'


@pytest.fixture
def story() -> Story:
    """debian:bookworm, locked."""
    story = Story(DEBIAN)
    story.push("debian:bookworm", "one")
    story.lock()
    return story


def test_an_unchanged_entry_costs_one_head(story: Story) -> None:
    result = story.update()
    assert result.outcomes == (Unchanged(name="debian", image=story.locked.images[0]),)
    assert not result.changed
    assert story.asked == {"head": 1}


def test_a_hundred_unchanged_entries_cost_a_hundred_heads() -> None:
    lines = [f'app{number} = "team/app{number}:1"' for number in range(100)]
    story = Story("\n".join(["[images]", *lines]))
    for number in range(100):
        story.push(f"team/app{number}:1", "one", "linux/amd64")
    story.lock()
    assert not story.update(jobs=8).changed
    assert story.asked == {"head": 100}


def test_a_moved_tag_is_a_head_and_a_get(story: Story) -> None:
    (before,) = story.locked.images
    digest = story.push("debian:bookworm", "two")
    outcome = story.outcome()
    (after,) = story.locked.images
    assert outcome == Updated(name="debian", before=before, image=after)
    assert (after.digest, after.tag) == (digest, "bookworm")
    assert after.platforms.keys() == before.platforms.keys()
    assert after.platforms != before.platforms
    assert story.asked == {"head": 1, "manifest": 1}


def test_without_a_digest_in_the_answer_to_head_it_is_a_get(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story.registry, "head", lambda _: None)
    assert isinstance(story.outcome(), Unchanged)
    assert story.asked == {"manifest": 1}


def test_what_a_header_states_is_never_taken(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = story.push("other:1", "other")
    monkeypatch.setattr(story.registry, "head", lambda _: stated)
    assert isinstance(story.outcome(), Unchanged)
    (history,) = story.seen.tags.values()
    assert [one.digest for one in history] == [story.pin("debian")]


def test_other_platforms_than_the_locked_ones_are_no_update() -> None:
    story = Story('[settings]\nplatforms = ["linux/amd64"]\n' + DEBIAN)
    story.push("debian:bookworm", "one", "linux/amd64")
    story.lock()
    (pin,) = story.locked.images
    digest = story.push("debian:bookworm", "one", "linux/amd64", "linux/riscv64")
    result = story.update()
    assert result.outcomes == (IndexOnly(name="debian", image=pin, digest=digest),)
    assert not result.changed
    assert result.lock.images == (pin,)


def test_a_platform_that_is_new_is_an_update_where_all_are_wished_for(story: Story) -> None:
    story.push("debian:bookworm", "one", "linux/amd64", "linux/arm64", "linux/riscv64")
    assert isinstance(story.outcome(), Updated)


def test_a_digest_given_by_hand_is_never_asked_for(story: Story) -> None:
    story.spec = f'[images]\ndebian = "debian:bookworm@{story.pin("debian")}"'
    story.push("debian:bookworm", "two")
    assert isinstance(story.outcome(), Pinned)
    assert story.asked == {}


def test_a_tag_that_must_not_move_raises_an_alarm(story: Story) -> None:
    story.spec = '[images]\ndebian = { image = "debian:bookworm", immutable = true }'
    assert isinstance(story.outcome(), Unchanged)
    (pin,) = story.locked.images
    digest = story.push("debian:bookworm", "two")
    result = story.update()
    assert result.outcomes == (Alarm(name="debian", image=pin, digest=digest),)
    assert result.lock.images == (pin,)
    assert (result.exit_code, result.outdated_code) == (1, 1)


def test_an_index_that_must_not_move_raises_an_alarm_though_the_platforms_stayed() -> None:
    story = Story(
        '[images]\napp = { image = "app:1", immutable = true, platforms = ["linux/amd64"] }'
    )
    story.push("app:1", "one", "linux/amd64")
    story.lock()
    story.push("app:1", "one", "linux/amd64", "linux/arm64")
    assert isinstance(story.outcome(), Alarm)


def test_what_is_not_locked_is_locked_however_young_it_is(story: Story) -> None:
    story.spec = '[settings]\nminimum-age = "3d"\n' + DEBIAN + '\nredis = "redis:7"'
    digest = story.push("redis:7", "one")
    unchanged, added = story.update().outcomes
    assert isinstance(unchanged, Unchanged)
    assert isinstance(added, Added)
    assert story.pin("redis") == digest
    assert story.asked == {"head": 1, "manifest": 1}


def test_what_does_not_satisfy_the_spec_is_locked_anew(story: Story) -> None:
    story.spec = '[images]\ndebian = "debian:trixie"'
    digest = story.push("debian:trixie", "one")
    assert isinstance(story.outcome(), Changed)
    assert story.pin("debian") == digest


def test_a_pin_whose_platforms_alone_are_stale_does_not_move(story: Story) -> None:
    old = story.pin("debian")
    story.push("debian:bookworm", "two")
    story.spec = '[settings]\nplatforms = ["linux/arm64"]\n' + DEBIAN
    assert isinstance(story.outcome(), Changed)
    assert story.pin("debian") == old
    assert isinstance(story.outcome(), Updated), "and moves the next time"


def test_what_the_spec_does_not_name_is_removed(story: Story) -> None:
    (pin,) = story.locked.images
    story.spec = "[images]"
    result = story.update()
    assert result.outcomes == (Removed(name="debian", before=pin),)
    assert result.lock.images == ()
    assert story.asked == {}


def test_without_a_lock_everything_is_added() -> None:
    story = Story(DEBIAN)
    story.push("debian:bookworm", "one")
    assert isinstance(story.outcome(), Added)


def test_a_failing_entry_keeps_its_pin_and_the_others_go_on(story: Story) -> None:
    story.spec = DEBIAN + '\nredis = "redis:7"\napp = "app:1"'
    for reference in ("redis:7", "app:1"):
        story.push(reference, "one")
    story.lock()
    pin = story.pin("redis")
    story.registry.untag(Reference.parse("redis:7"))
    story.push("app:1", "two")
    result = story.update(jobs=3)
    unchanged, failed, updated = result.outcomes
    assert isinstance(unchanged, Unchanged)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, NotFound)
    assert isinstance(updated, Updated)
    assert story.pin("redis") == pin
    assert (result.exit_code, result.outdated_code) == (3, 1)


def test_a_registry_that_fails_leaves_everything_as_it_was(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Reference) -> None:
        raise Unavailable("no answer")

    monkeypatch.setattr(story.registry, "head", fail)
    locked = story.locked
    result = story.update()
    assert (result.changed, result.lock) == (False, locked)
    assert (result.exit_code, result.outdated_code) == (3, 3)


def test_a_moved_tag_that_cannot_be_trusted_fails(story: Story) -> None:
    reference = Reference.parse("debian:bookworm")
    story.registry.push(reference, b"{}", media_type="application/vnd.oci.image.index.v1+json")
    assert isinstance(story.outcome(), Failed)


def test_a_moved_tag_that_lacks_a_platform_fails(story: Story) -> None:
    story.spec = '[settings]\nplatforms = ["linux/amd64", "linux/arm64"]\n' + DEBIAN
    story.lock()
    pin = story.pin("debian")
    story.push("debian:bookworm", "two", "linux/amd64")
    result = story.update()
    assert isinstance(result.outcomes[0], Failed)
    assert (story.pin("debian"), result.exit_code) == (pin, 2)


def test_only_the_named_entries_are_asked_for(story: Story) -> None:
    story.spec = '[images]\nredis = "redis:7"\n' + DEBIAN.partition("\n")[2]
    story.push("debian:bookworm", "two")
    result = story.update("debian")
    assert [type(outcome) for outcome in result.outcomes] == [Updated]
    assert story.asked == {"head": 1, "manifest": 1}


def test_a_named_update_removes_nothing(story: Story) -> None:
    story.spec += '\nredis = "redis:7"'
    story.push("redis:7", "one")
    story.update("redis")
    story.spec = '[images]\nredis = "redis:7"'
    assert not story.update("redis").changed
    assert [image.name for image in story.locked.images] == ["debian", "redis"]


def test_an_unknown_name_is_told_by_its_nearest(story: Story) -> None:
    with pytest.raises(InputError, match='has no image "debain"') as caught:
        story.update("debain")
    assert caught.value.mend == ('did you mean "debian"?',)


def test_outcomes_come_in_the_specs_order_then_what_was_removed(story: Story) -> None:
    story.spec = '[images]\nz = "z:1"\na = "a:1"\nm = "m:1"'
    for name in "zam":
        story.push(f"{name}:1", "one")
    names = [outcome.name for outcome in story.update(jobs=3).outcomes]
    assert names == ["z", "a", "m", "debian"]


def test_entries_of_one_reference_share_their_requests(story: Story) -> None:
    story.spec = '[images]\na = "debian:bookworm"\nb = "debian:bookworm"'
    story.lock()
    story.push("debian:bookworm", "two")
    outcomes = story.update(jobs=2).outcomes
    assert [type(outcome) for outcome in outcomes] == [Updated, Updated]
    assert story.asked == {"head": 1, "manifest": 1}


def test_nothing_is_opened_where_nothing_is_asked() -> None:
    def fail() -> MemorySource:
        raise AssertionError("the registry was opened")

    spec = parse_spec(b"[images]", path="images.toml", base=Path())
    result = run_update(spec, None, fail, seen=SeenLog(), now=START, host=HOST, jobs=1)
    assert result.outcomes == ()


def test_a_lone_manifest(story: Story) -> None:
    story.spec = '[images]\napp = "app:1"'
    story.push_image("app:1", image("linux/amd64"))
    story.update()
    digest = story.push_image("app:1", image("linux/amd64", created="2026-02-02T00:00:00Z"))
    assert isinstance(story.outcome(), Updated)
    assert story.pin("app") == digest


def test_an_index_around_the_manifest_that_was_locked_alone_is_no_update(story: Story) -> None:
    alone = image("linux/amd64")
    story.spec = '[settings]\nplatforms = ["linux/amd64"]\n[images]\napp = "app:1"'
    story.push_image("app:1", alone)
    story.update()
    story.push_image("app:1", index(alone, "linux/arm64"))
    assert isinstance(story.outcome(), IndexOnly)
