"""Every kind of wish keeps the promises of TagWish, whatever the tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.tagpolicy import TagWish, choose_tag
from pinner.tagpolicy.caps import Cap, CapWish
from pinner.tagpolicy.patterns import PatternWish
from pinner.tagpolicy.versions import VersionWish
from support.tagrules import record

if TYPE_CHECKING:
    from collections.abc import Callable

WISHES: Final[dict[str, TagWish]] = {
    "version": VersionWish(specifier=">=2"),
    "version, variant": VersionWish(specifier=">=1,<9", variant="alpine", precision=2),
    "version, moving variant": VersionWish(specifier=">=1", variant="alpine*"),
    "pre-release": VersionWish(specifier=">=1rc1", variant="*"),
    "patch": CapWish(floor="3.1.0", cap=Cap.PATCH),
    "minor": CapWish(floor="v1.2-alpine", cap=Cap.MINOR),
    "major": CapWish(floor="2rc1", cap=Cap.MAJOR),
    "dates": CapWish(floor="20240101", cap=Cap.MAJOR),
    "tags": PatternWish(expression=r"v?(?P<version>[0-9.]+)(?:-alpine(?P<build>[0-9.]+))?"),
}
numbers = st.lists(st.sampled_from(["0", "1", "2", "3", "03", "10", "20240102"]), min_size=1)
tags = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "v", "jdk-"]),
    numbers.map(lambda parts: ".".join(parts[:3])),
    st.sampled_from(["", "", "", "rc1", "_8"]),
    st.sampled_from(["", "-alpine", "-alpine3", "-alpine3.9", "-alpine3.20", "-1", "-1.2"]),
)
every_wish = pytest.mark.parametrize("wish", WISHES.values(), ids=WISHES)


@every_wish
@given(data=st.data(), found=st.lists(tags, max_size=30))
def test_what_is_ranked(wish: TagWish, data: st.DataObject, found: list[str]) -> None:
    ranked = wish.ranked(found)
    assert len(set(ranked)) == len(ranked)
    assert set(ranked) <= {tag for tag in found if wish.admits(tag)}
    assert bool(ranked) == any(map(wish.admits, found))
    assert wish.ranked(data.draw(st.permutations([*found, *found[:3]]))) == ranked
    assert wish.ranked(ranked) == ranked
    assert choose_tag(found, wish) == next(iter(ranked), None)


@every_wish
@given(found=st.lists(tags, max_size=30), other=tags)
def test_what_is_not_admitted_changes_nothing(wish: TagWish, found: list[str], other: str) -> None:
    if not wish.admits(other):
        assert wish.ranked([*found, other]) == wish.ranked(found)


@every_wish
def test_real_tags(wish: TagWish) -> None:
    for found in record().values():
        ranked = wish.ranked(found)
        assert set(ranked) <= {tag for tag in found if wish.admits(tag)}


@pytest.mark.parametrize(
    "make",
    [
        lambda: VersionWish(specifier=">=2"),
        lambda: CapWish(floor="3.1.0", cap=Cap.PATCH),
        lambda: PatternWish(expression="(?P<version>[0-9]+)"),
    ],
    ids=["version", "update", "tags"],
)
def test_wishes_are_values(make: Callable[[], TagWish]) -> None:
    assert make() == make()
    assert hash(make()) == hash(make())
    assert repr(make()) == repr(make())
