"""Images in a store: what of them is there, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.archive import Lacking, find_locked, find_named
from pinner.errors import IntegrityError
from pinner.lockfile import LockedImage
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from support.archiving import ATTESTATION, Built, built, index_over, put
from support.storing import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.oci.digest import Digest
    from pinner.oci.manifest import Index
    from pinner.oci.sources import RawManifest
    from pinner.store.layout import Store

AMD64 = built("linux/amd64", b"shared", b"amd64")
ARM64 = built("linux/arm64", b"shared", b"arm64")
X86 = built("linux/386", b"shared", b"386")
STRANGER = built("linux/amd64", b"strange")
INDEX = index_over(X86.entry, ARM64.entry, AMD64.entry, ATTESTATION)
NAME = "docker.io/library/app:1"
BY_PLATFORM = {Platform.parse("linux/amd64"): AMD64, Platform.parse("linux/arm64"): ARM64}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as store:
        yield store


def put_index(store: Store, index: tuple[RawManifest, Index] = INDEX) -> Digest:
    store.put(index[0].digest, index[0].data)
    return index[0].digest


def locked(root: Digest, *, tag: str | None = "1") -> LockedImage:
    return LockedImage(
        name="app",
        repository=Repository("docker.io", "app"),
        tag=tag,
        digest=root,
        platforms={platform: image.digest for platform, image in BY_PLATFORM.items()},
    )


def wanted(*images: Built) -> list[tuple[Platform, Digest]]:
    return [(platform, image.digest) for platform, image in BY_PLATFORM.items() if image in images]


def test_a_locked_image(store: Store) -> None:
    root = put_index(store)
    put(store, AMD64)
    put(store, ARM64)
    found = find_locked(store, locked(root), wanted(AMD64, ARM64))
    assert (found.asked, found.name) == ("app", NAME)
    assert found.members == (AMD64.member, ARM64.member)
    assert found.index == INDEX


def test_without_a_tag_it_is_named_by_digest(store: Store) -> None:
    root = put_index(store)
    put(store, AMD64)
    found = find_locked(store, locked(root, tag=None), wanted(AMD64))
    assert found.name == f"docker.io/library/app@{root}"


def test_a_locked_lone_manifest(store: Store) -> None:
    put(store, AMD64)
    assert find_locked(store, locked(AMD64.digest), wanted(AMD64)).index is None


def test_an_index_that_the_registry_had_dropped(store: Store) -> None:
    put(store, AMD64)
    assert find_locked(store, locked(INDEX[0].digest), wanted(AMD64)).index is None


@pytest.mark.parametrize("image", [AMD64, None], ids=["a layer", "the manifest"])
def test_a_locked_image_that_lacks(store: Store, image: Built | None) -> None:
    root = put_index(store)
    if image is not None:
        put(store, image, but=b"amd64")
    with pytest.raises(Lacking, match=r"^app is not (completely )?in the store for linux/amd64$"):
        find_locked(store, locked(root), wanted(AMD64))


def test_a_locked_index_that_does_not_have_the_locked_manifest(store: Store) -> None:
    root = put_index(store, index_over(ARM64.entry))
    put(store, AMD64)
    with pytest.raises(IntegrityError, match="is no index that has"):
        find_locked(store, locked(root), wanted(AMD64))


def test_a_locked_digest_that_is_another_image(store: Store) -> None:
    put(store, AMD64)
    put(store, STRANGER)
    with pytest.raises(IntegrityError, match="is no index that has"):
        find_locked(store, locked(STRANGER.digest), wanted(AMD64))


def test_a_locked_manifest_that_is_an_index(store: Store) -> None:
    root = put_index(store)
    with pytest.raises(IntegrityError, match="is locked for linux/amd64 but is an index"):
        find_locked(store, locked(root), [(Platform.parse("linux/amd64"), root)])


def test_a_name_gives_every_complete_platform_the_usual_one_first(store: Store) -> None:
    root = put_index(store)
    for image in (X86, ARM64, AMD64):
        put(store, image)
    found = find_named(store, "app", NAME, root)
    assert found.members == (AMD64.member, X86.member, ARM64.member)


def test_a_name_leaves_out_what_is_not_complete(store: Store) -> None:
    root = put_index(store)
    put(store, AMD64, but=b"amd64")
    put(store, ARM64)
    assert find_named(store, "app", NAME, root).members == (ARM64.member,)


def test_a_name_with_platforms_gives_those_in_their_order(store: Store) -> None:
    root = put_index(store)
    for image in (X86, ARM64, AMD64):
        put(store, image)
    platforms = [Platform.parse("linux/arm64"), Platform.parse("linux/amd64")]
    found = find_named(store, "app", NAME, root, platforms)
    assert found.members == (ARM64.member, AMD64.member)


def test_a_lone_manifest_is_for_the_platform_of_its_config(store: Store) -> None:
    put(store, ARM64)
    arm64, amd64 = Platform.parse("linux/arm64"), Platform.parse("linux/amd64")
    assert find_named(store, "app", NAME, ARM64.digest, [arm64]).members == (ARM64.member,)
    with pytest.raises(Lacking, match=r"^app is not in the store for linux/amd64$"):
        find_named(store, "app", NAME, ARM64.digest, [amd64])


def test_a_name_of_which_nothing_is_complete(store: Store) -> None:
    root = put_index(store)
    put(store, AMD64, but=b"amd64")
    with pytest.raises(Lacking, match=r"^app is not in the store$"):
        find_named(store, "app", NAME, root)
    with pytest.raises(Lacking, match=r"^app is not completely in the store for linux/amd64$"):
        find_named(store, "app", NAME, root, [Platform.parse("linux/amd64")])
    with pytest.raises(Lacking, match=r"^app is not in the store$"):
        find_named(store, "app", NAME, STRANGER.digest)


def test_a_nested_index(store: Store) -> None:
    inner = index_over(AMD64.entry)
    outer = index_over(
        {
            "mediaType": inner[0].media_type,
            "digest": str(inner[0].digest),
            "size": len(inner[0].data),
        }
    )
    put(store, AMD64)
    root = put_index(store, outer)
    with pytest.raises(Lacking):
        find_named(store, "app", NAME, root)
    put_index(store, inner)
    found = find_named(store, "app", NAME, root)
    assert found.members == (AMD64.member,)
    assert not found.is_whole


def test_an_artifact_does_not_load(store: Store) -> None:
    chart = built("linux/amd64", b"chart", config=b'{"name": "chart"}')
    put(store, chart)
    (member,) = find_named(store, "chart", "docker.io/library/chart:1", chart.digest).members
    assert (member.platform, member.loads) == (None, False)


def test_foreign_text_is_made_safe(store: Store) -> None:
    with pytest.raises(Lacking) as caught:
        find_named(store, "a\x1b[2J", "a\x1b[2J", AMD64.digest)
    assert "\x1b" not in str(caught.value)
    assert caught.value.asked == "a\x1b[2J"
