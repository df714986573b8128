"""Keeping what is pinned: the digest is asked for and locked, whatever the tag names now."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.errors import FileProblems, NotFound
from pinner.freshness import staleness
from pinner.oci.digest import Digest
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.resolve import Added
from pinner.spec import Spec, parse_spec
from pinner.start.adopt import adopt, pins_of
from pinner.start.model import Proposal
from support.images import image, index, layer, push

GONE = Digest("sha256", "9" * 64)


def spec(text: str) -> Spec:
    return parse_spec(f"[images]\n{text}".encode(), path="images.toml", base=Path("/nowhere"))


@pytest.fixture
def registry() -> MemorySource:
    return MemorySource()


@pytest.fixture
def old(registry: MemorySource) -> Digest:
    """What app:1 named once; it names another index now."""
    before = push(registry, "reg.example/app:1", index(image("linux/amd64", layer("old"))))
    push(registry, "reg.example/app:1", index(image("linux/amd64", layer("new"))))
    return before.digest


def test_the_pinned_digest_is_locked_not_the_tag(registry: MemorySource, old: Digest) -> None:
    wish = spec('app = "reg.example/app:1"')
    result = adopt(wish, {"app": old}, lambda: registry, jobs=1)
    assert result.lock is not None
    (locked,) = result.lock.images
    assert (locked.tag, locked.digest) == ("1", old)
    assert len(locked.platforms) == 1
    assert locked.all_platforms
    assert staleness(wish, result.lock) == ()
    assert [type(outcome) for outcome in result.outcomes] == [Added]


def test_an_entry_without_a_pin_is_locked_by_its_tag(registry: MemorySource, old: Digest) -> None:
    result = adopt(spec('app = "reg.example/app:1"'), {}, lambda: registry, jobs=1)
    assert result.lock is not None
    assert result.lock.images[0].digest != old


def test_chosen_platforms_are_locked(registry: MemorySource, old: Digest) -> None:
    wish = spec('app = { image = "reg.example/app:1", platforms = ["linux/amd64"] }')
    result = adopt(wish, {"app": old}, lambda: registry, jobs=1)
    assert result.lock is not None
    assert staleness(wish, result.lock) == ()


def test_a_digest_that_is_gone_fails_the_whole(registry: MemorySource, old: Digest) -> None:
    wish = spec('app = "reg.example/app:1"\nlost = "reg.example/app:2"')
    result = adopt(wish, {"app": old, "lost": GONE}, lambda: registry, jobs=1)
    assert result.lock is None
    lost = result.outcomes[1]
    assert isinstance(lost, Failed)
    assert isinstance(lost.error, NotFound)
    assert "--skip-gone" in lost.error.mend[0]


def test_what_is_gone_may_be_left_out(registry: MemorySource, old: Digest) -> None:
    wish = spec('app = "reg.example/app:1"\nlost = "reg.example/app:2"')
    pins = {"app": old, "lost": GONE}
    result = adopt(wish, pins, lambda: registry, jobs=1, skip_gone=True)
    assert result.lock is not None
    assert [one.name for one in result.lock.images] == ["app"]


def test_other_failures_still_fail_the_whole(registry: MemorySource, old: Digest) -> None:
    wish = spec('app = { image = "reg.example/app:1", platforms = ["linux/s390x"] }')
    result = adopt(wish, {"app": old}, lambda: registry, jobs=1, skip_gone=True)
    assert result.lock is None


def proposal(*pins: str) -> Proposal:
    return Proposal(
        name="app",
        reference=Reference.parse("app:1"),
        pins=tuple((Digest("sha256", one * 64), f"f:{one}") for one in pins),
    )


def test_one_pin_for_each_entry() -> None:
    assert pins_of([proposal("1")]) == {"app": Digest("sha256", "1" * 64)}
    assert pins_of([proposal()]) == {}


def test_two_digests_for_one_tag_are_a_problem() -> None:
    with pytest.raises(FileProblems) as caught:
        pins_of([proposal("1", "2", "3")])
    assert [(one.where, one.what) for one in caught.value.problems] == [
        ("f:2", "app:1 is pinned to 222222222222 here, and to 111111111111 in f:1"),
        ("f:3", "app:1 is pinned to 333333333333 here, and to 111111111111 in f:1"),
    ]
