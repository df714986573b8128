"""Names given and taken by hand, and the names by digest that come and go with an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.store.names import NamedDescriptor, member
from pinner.store.naming import NoSuchName, find_name, tag, untag
from pinner.store.prune import PruneWish, prune
from support import storing

if TYPE_CHECKING:
    from pinner.store.layout import Store

APP = "docker.io/library/app"
LAYER = storing.noise(1, 900)
IMAGE = storing.manifest_of(b"{}", [LAYER])
INDEX = storing.index_of([IMAGE])
BY_DIGEST = f"@{Digest.of(IMAGE)}"


def pull(store: Store, text: str = f"{APP}:1") -> None:
    for data in (b"{}", LAYER, IMAGE, INDEX):
        store.put(Digest.of(data), data)
    root = storing.describe(INDEX, mediatypes.OCI_INDEX)
    below = member(storing.describe(IMAGE, mediatypes.OCI_MANIFEST), root.digest)
    repository = Reference.parse(text).repository
    store.name_images(
        [
            NamedDescriptor(name=f"{repository}{BY_DIGEST}", descriptor=below),
            NamedDescriptor(name=text, descriptor=root),
        ]
    )


def names(store: Store) -> dict[str, bool]:
    """Every name, and whether it is there only since an index is."""
    return {image.name: image.is_member for image in store.images()}


def taken(store: Store, *wanted: str) -> list[str]:
    gone, missing = untag(store, wanted)
    assert missing == []
    return [one.name for one in gone]


@pytest.mark.parametrize(
    "text", ["app:1", f"{APP}:1", "index.docker.io/app:1", f"app:9@{Digest.of(INDEX)}"]
)
def test_names_are_read_as_docker_reads_them(store: Store, text: str) -> None:
    pull(store)
    pull(store, f"{APP}@{Digest.of(INDEX)}")
    found = find_name(store.images(), text)
    assert found is not None
    assert found.descriptor.digest == Digest.of(INDEX)


def test_another_tools_name_is_taken_to_the_letter(store: Store) -> None:
    storing.name(store, "My Image!", IMAGE)
    assert find_name(store.images(), "My Image!") is not None


def test_no_tag_means_latest(store: Store) -> None:
    pull(store)
    assert find_name(store.images(), "app") is None
    tag(store, "app:1", Reference.parse("app:latest"))
    assert find_name(store.images(), "app") is not None


def test_a_name_that_is_given_stands_for_the_same(store: Store) -> None:
    pull(store)
    tagged = tag(store, "app:1", Reference.parse("backup:old"))
    assert tagged.replaced is None
    assert names(store) == {
        f"{APP}:1": False,
        f"{APP}{BY_DIGEST}": True,
        "docker.io/library/backup:old": False,
        f"docker.io/library/backup{BY_DIGEST}": True,
    }


def test_a_name_that_stood_for_another_image_says_so(store: Store) -> None:
    pull(store)
    storing.name(store, f"{APP}:2", IMAGE)
    tagged = tag(store, "app:1", Reference.parse("app:2"))
    assert tagged.replaced is not None
    assert tagged.replaced.digest == Digest.of(IMAGE)


def test_a_name_given_to_a_member_is_a_name_in_its_own_right(store: Store) -> None:
    pull(store)
    tag(store, f"app{BY_DIGEST}", Reference.parse("lone:1"))
    assert names(store)["docker.io/library/lone:1"] is False
    taken(store, "app:1")
    assert {
        blob.digest for blob in prune(store, PruneWish(partials_older_than=0), now=0).blobs
    } == {Digest.of(INDEX)}


def test_what_is_not_there_cannot_be_tagged(store: Store) -> None:
    with pytest.raises(NoSuchName, match='no image "app:1"'):
        tag(store, "app:1", Reference.parse("b:1"))
    assert names(store) == {}


def test_an_index_takes_the_names_of_its_members_along(store: Store) -> None:
    pull(store)
    assert taken(store, "app:1") == [f"{APP}:1", f"{APP}{BY_DIGEST}"]
    assert names(store) == {}
    assert store.has(Digest.of(LAYER)), "blobs are for prune"


def test_a_member_of_another_tags_index_keeps_its_name(store: Store) -> None:
    pull(store)
    pull(store, f"{APP}:2")
    assert taken(store, "app:1") == [f"{APP}:1"]
    assert taken(store, "app:2") == [f"{APP}:2", f"{APP}{BY_DIGEST}"]


def test_a_member_that_was_asked_for_keeps_its_name(store: Store) -> None:
    pull(store)
    storing.name(store, f"{APP}{BY_DIGEST}", IMAGE)
    assert taken(store, "app:1") == [f"{APP}:1"]


def test_members_in_another_repository_keep_their_names(store: Store) -> None:
    pull(store)
    tag(store, "app:1", Reference.parse("backup:1"))
    assert taken(store, "app:1") == [f"{APP}:1", f"{APP}{BY_DIGEST}"]
    assert len(names(store)) == 2


def test_what_another_repository_was_left_with_is_not_ours_to_take(store: Store) -> None:
    pull(store)
    tag(store, "app:1", Reference.parse("backup:1"))
    storing.name(store, "docker.io/library/backup:1", IMAGE)
    assert taken(store, "app:1") == [f"{APP}:1", f"{APP}{BY_DIGEST}"]
    assert f"docker.io/library/backup{BY_DIGEST}" in names(store)


def test_a_members_name_can_be_taken_by_itself(store: Store) -> None:
    pull(store)
    assert taken(store, f"app{BY_DIGEST}") == [f"{APP}{BY_DIGEST}"]
    prune(store, PruneWish(partials_older_than=0), now=0)
    assert store.has(Digest.of(LAYER)), "the index has it still"


def test_a_name_whose_manifest_is_damaged_can_be_taken(store: Store) -> None:
    pull(store)
    path = store.path(Digest.of(INDEX))
    path.chmod(0o644)
    path.write_bytes(b"{}")
    assert taken(store, "app:1") == [f"{APP}:1"]


def test_what_is_not_there_does_not_stop_the_rest(store: Store) -> None:
    pull(store)
    gone, missing = untag(store, ["nope:1", "app:1", "app:1"])
    assert len(gone) == 2
    assert [error.what for error in missing] == ['the store has no image "nope:1"']


def test_two_spellings_of_one_name(store: Store) -> None:
    pull(store)
    gone, missing = untag(store, ["app:1", f"{APP}:1"])
    assert (len(gone), missing) == (2, [])


def test_nothing_to_take_writes_nothing(store: Store) -> None:
    pull(store)
    before = (store.root / "index.json").stat().st_mtime_ns
    untag(store, ["nope:1"])
    tag(store, "app:1", Reference.parse("app:1"))
    assert (store.root / "index.json").stat().st_mtime_ns == before
