"""Which entries of two lockfiles differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.compare.locks import changed_images
from pinner.lockfile import Lock, LockedImage
from support.outcomes import AMD64, ARM64, digest, locked
from support.projects import locks

NODE = locked("node", "22-alpine", 0xB6)
REDIS = locked("redis", "latest", 0x99)


def names(old: Lock, new: Lock) -> list[str]:
    return [change.name for change in changed_images(old, new)]


def test_entries_are_new_gone_or_other_pins_by_name() -> None:
    moved = replace(NODE, digest=digest(0xC0))
    old = Lock(images=(NODE, REDIS, locked("web", "1", 1)))
    new = Lock(images=(moved, locked("app", "2", 2), locked("web", "1", 1)))
    found = [(change.name, change.before, change.after) for change in changed_images(old, new)]
    assert found == [
        ("app", None, locked("app", "2", 2)),
        ("node", NODE, moved),
        ("redis", REDIS, None),
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(NODE, tag="22.12-alpine"), id="tag"),
        pytest.param(replace(NODE, digest=digest(0xC0)), id="digest"),
        pytest.param(replace(NODE, repository=REDIS.repository), id="repository"),
        pytest.param(replace(NODE, platforms={AMD64: digest(0xB7)}), id="a platform less"),
        pytest.param(
            replace(NODE, platforms={AMD64: digest(0xB7), ARM64: digest(1)}), id="a manifest"
        ),
    ],
)
def test_any_part_of_a_pin_may_differ(other: LockedImage) -> None:
    assert names(Lock(images=(NODE,)), Lock(images=(other,))) == ["node"]


def test_how_the_spec_asked_for_platforms_is_no_difference() -> None:
    other = replace(NODE, all_platforms=True)
    assert names(Lock(images=(NODE,)), Lock(images=(other,))) == []


@given(locks())
def test_equal_locks_do_not_differ(lock: Lock) -> None:
    assert changed_images(lock, lock) == ()


@given(locks(), locks(), st.booleans())
def test_swapping_sides_swaps_what_is_gained_and_lost(
    old: Lock,
    new: Lock,
    share: bool,  # noqa: FBT001 - hypothesis fills it
) -> None:
    if share:  # drawn locks rarely have a name in common
        new = Lock(
            images=tuple(
                replace(image, name=twin.name)
                for image, twin in zip(new.images, old.images, strict=False)
            )
        )
    there, back = changed_images(old, new), changed_images(new, old)
    assert [(change.before, change.after) for change in there] == [
        (change.after, change.before) for change in back
    ]
    assert [change.gained for change in there] == [change.lost for change in back]
