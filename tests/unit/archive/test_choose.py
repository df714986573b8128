"""Which images are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.archive.choose import choose_all, choose_entries, lookup
from pinner.lockfile import LockedImage
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.sync.select import Wanted
from support.archiving import ATTESTATION, built, index_over, put
from support.storing import describe, name, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.store.layout import Store

I386 = built("linux/386", b"shared", b"386")
AMD64 = built("linux/amd64", b"shared", b"amd64")
ARM64 = built("linux/arm64", b"shared", b"arm64")
OTHER = built("linux/amd64", b"other")
INDEX = index_over(I386.entry, AMD64.entry, ARM64.entry, ATTESTATION)
TAG = "docker.io/library/app:1"
REPOSITORY = "docker.io/library/app"
LINUX_ARM64 = Platform.parse("linux/arm64")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """As after two syncs: a tag with two platforms, one of which is not complete."""
    with open_store(tmp_path / "store") as store:
        store.put(INDEX[0].digest, INDEX[0].data)
        put(store, AMD64)
        put(store, ARM64, but=b"arm64")
        name(store, TAG, INDEX[0].data, INDEX[0].media_type)
        for image in (AMD64, ARM64):
            name(store, f"{REPOSITORY}@{image.digest}", image.raw.data)
        yield store


def test_all_images_less_the_names_that_go_with_an_index(store: Store) -> None:
    put(store, OTHER)
    moved = f"{REPOSITORY}@{OTHER.digest}"  # what the tag named before it moved
    name(store, moved, OTHER.raw.data)
    name(store, "registry.example/app:1", OTHER.raw.data)
    chosen = choose_all(store, ())
    assert [image.name for image in chosen.images] == [TAG, moved, "registry.example/app:1"]
    assert chosen.lacking == ()


def test_a_member_of_another_repository_keeps_its_name(store: Store) -> None:
    elsewhere = f"registry.example/app@{AMD64.digest}"
    name(store, elsewhere, AMD64.raw.data)
    assert [image.name for image in choose_all(store, ()).images] == [TAG, elsewhere]


def test_all_images_for_a_platform(store: Store) -> None:
    put(store, ARM64)
    put(store, OTHER)
    name(store, "docker.io/library/other:1", OTHER.raw.data)
    chosen = choose_all(store, [LINUX_ARM64])
    assert [image.members for image in chosen.images] == [(ARM64.member,)]
    assert [error.asked for error in chosen.lacking] == ["other:1"]


def test_an_image_of_which_nothing_is_complete_is_told_of_once(store: Store) -> None:
    store.path(AMD64.member.manifest.layers[1].digest).unlink()
    assert [error.asked for error in choose_all(store, ()).lacking] == ["app:1"]


def test_an_entry_of_all_platforms_begins_with_the_usual_one(store: Store) -> None:
    for image in (I386, ARM64):
        put(store, image)
    platforms = {
        platform: image.digest
        for image in (I386, AMD64, ARM64)
        if (platform := image.member.platform)
    }
    locked = LockedImage(
        name="app",
        repository=Repository("docker.io", "app"),
        tag="1",
        digest=INDEX[0].digest,
        platforms=platforms,
    )
    wanted = Wanted(image=locked, manifests=tuple(platforms.items()))
    for usual, first in ((True, AMD64), (False, I386)):
        (found,) = choose_entries(store, [wanted], usual=usual).images
        assert found.members[0] == first.member
    assert [error.asked for error in choose_entries(None, [wanted], usual=True).lacking] == ["app"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("app:1", TAG),
        ("docker.io/app:1", TAG),
        (f"app@{AMD64.digest}", f"{REPOSITORY}@{AMD64.digest}"),
        (f"app:1@{INDEX[0].digest}", TAG),
        (f"app:1@{AMD64.digest}", f"{REPOSITORY}@{AMD64.digest}"),
        (f"app:1@{OTHER.digest}", None),
        ("app", None),
        ("other:1", None),
        ("Not A Reference", None),
    ],
)
def test_looking_up_a_reference(store: Store, text: str, found: str | None) -> None:
    known = {named.name: named for named in store.images()}
    named = lookup(known, text)
    assert (named and named.name) == found


def test_another_tools_name_is_looked_up_as_it_is(store: Store) -> None:
    name(store, "Not A Reference", AMD64.raw.data)
    known = {named.name: named for named in store.images()}
    named = lookup(known, "Not A Reference")
    assert named is not None
    assert named.descriptor.digest == describe(AMD64.raw.data).digest
