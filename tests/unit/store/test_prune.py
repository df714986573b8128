"""What `prune` removes and what it leaves, one rule at a time; docs/prune.md lists them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import IntegrityError, StoreError
from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.store.names import NamedDescriptor, member
from pinner.store.prune import Keep, PruneWish, prune
from support import storing

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.store.layout import Store
    from pinner.store.prune import Pruned

NOW, DAY = 1_800_000_000.0, 86_400.0
CONFIG = b"{}"
BASE, OLD, NEW = (storing.noise(seed, 2000 + seed) for seed in range(3))
OLD_IMAGE = storing.manifest_of(CONFIG, [BASE, OLD])
NEW_IMAGE = storing.manifest_of(CONFIG, [BASE, NEW])
OLD_INDEX = storing.index_of([OLD_IMAGE])
NEW_INDEX = storing.index_of([NEW_IMAGE])
REPOSITORY = "docker.io/library/app"
TAG = f"{REPOSITORY}:1"
WISH = PruneWish(partials_older_than=DAY)


def of(*blobs: bytes) -> set[Digest]:
    return {Digest.of(data) for data in blobs}


def put(store: Store, *blobs: bytes) -> None:
    for data in blobs:
        store.put(Digest.of(data), data)


def named(store: Store) -> set[str]:
    return {image.name for image in store.images()}


def member_name(manifest: bytes) -> str:
    return f"{REPOSITORY}@{Digest.of(manifest)}"


def pull(store: Store, index: bytes, manifest: bytes, *layers: bytes, tag: str = TAG) -> None:
    """As sync names an index of one platform."""
    put(store, CONFIG, *layers, manifest, index)
    root = storing.describe(index, mediatypes.OCI_INDEX)
    below = member(storing.describe(manifest, mediatypes.OCI_MANIFEST), root.digest)
    store.name_images(
        [
            NamedDescriptor(name=member_name(manifest), descriptor=below),
            NamedDescriptor(name=tag, descriptor=root),
        ]
    )


def gone(pruned: Pruned) -> set[Digest]:
    return {blob.digest for blob in pruned.blobs}


def run(store: Store, wish: PruneWish = WISH) -> Pruned:
    """Prune; a dry run before says the very same and changes nothing."""
    before = {path: path.lstat().st_mtime_ns for path in store.root.rglob("*")}
    would = prune(store, wish, now=NOW, dry_run=True)
    assert {path: path.lstat().st_mtime_ns for path in store.root.rglob("*")} == before
    done = prune(store, wish, now=NOW)
    assert done == would
    return done


def test_an_empty_store_has_nothing_to_remove(store: Store) -> None:
    assert run(store).size == 0


def test_what_a_name_reaches_stays(store: Store) -> None:
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    put(store, OLD)
    pruned = run(store)
    assert gone(pruned) == of(OLD)
    assert pruned.size == len(OLD)
    assert not store.has(Digest.of(OLD))
    assert all(map(store.has, of(NEW_INDEX, NEW_IMAGE, CONFIG, BASE, NEW)))


def test_an_image_whose_tag_moved_goes_with_the_name_by_digest_that_it_left(store: Store) -> None:
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD)
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    pruned = run(store)
    assert [name.name for name in pruned.names] == [member_name(OLD_IMAGE)]
    assert gone(pruned) == of(OLD_INDEX, OLD_IMAGE, OLD)
    assert named(store) == {TAG, member_name(NEW_IMAGE)}


def test_a_member_of_another_tags_index_stays(store: Store) -> None:
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD)
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD, tag=f"{REPOSITORY}:old")
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    assert run(store).names == ()
    assert member_name(OLD_IMAGE) in named(store)


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_name_by_digest_that_was_asked_for_stays(store: Store, *, first: bool) -> None:
    def ask() -> None:
        put(store, CONFIG, BASE, OLD, OLD_IMAGE)
        storing.name(store, member_name(OLD_IMAGE), OLD_IMAGE)

    steps: list[Callable[[], None]] = [
        lambda: pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD),
        ask,
    ]
    for step in reversed(steps) if first else steps:
        step()
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    pruned = run(store)
    assert pruned.names == ()
    assert gone(pruned) == of(OLD_INDEX)


def test_a_nameless_entry_of_another_tool_protects(store: Store) -> None:
    put(store, CONFIG, BASE, OLD, OLD_IMAGE)
    entry(store, {"mediaType": mediatypes.OCI_MANIFEST}, OLD_IMAGE)
    assert run(store).blobs == ()
    assert run(store, keep()).blobs == (), "no lockfile could name it"


def test_a_document_of_unknown_type_protects_what_it_mentions(store: Store) -> None:
    document = json.dumps(
        {"blobs": [{"digest": str(Digest.of(BASE)), "deeper": {"digest": str(Digest.of(OLD))}}]}
    ).encode()
    put(store, document, BASE, OLD, NEW)
    entry(store, {"mediaType": "application/vnd.other.manifest+json"}, document)
    assert gone(run(store)) == of(NEW)


def entry(store: Store, fields: dict[str, Any], data: bytes) -> None:
    """Write an entry into index.json as another tool would."""
    path = store.root / "index.json"
    document = json.loads(path.read_bytes())
    document["manifests"].append({"digest": str(Digest.of(data)), "size": len(data), **fields})
    path.write_text(json.dumps(document))


def spoil(store: Store, data: bytes) -> None:
    path = store.path(Digest.of(data))
    path.chmod(0o644)
    path.write_bytes(b"x" * len(data))


def refused(store: Store, kind: type[Exception], what: str) -> None:
    before = sorted(store.root.rglob("blobs/*/*"))
    for dry_run in (True, False):
        with pytest.raises(kind, match=what):
            prune(store, WISH, now=NOW, dry_run=dry_run)
    assert sorted(store.root.rglob("blobs/*/*")) == before


@pytest.mark.parametrize("damaged", [NEW_INDEX, NEW_IMAGE], ids=["index", "manifest"])
def test_a_damaged_manifest_makes_nothing_garbage(store: Store, damaged: bytes) -> None:
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    put(store, OLD)
    spoil(store, damaged)
    refused(store, IntegrityError, "not known: nothing was removed")


def test_a_missing_manifest_makes_nothing_garbage(store: Store) -> None:
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    storing.name(store, f"{REPOSITORY}@asked", NEW_IMAGE)
    store.path(Digest.of(NEW_IMAGE)).unlink()
    refused(store, IntegrityError, "is missing")


def test_a_damaged_index_file_makes_nothing_garbage(store: Store) -> None:
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    (store.root / "index.json").write_bytes(b"{")
    refused(store, StoreError, "is damaged")


def test_an_entry_that_cannot_be_read_makes_nothing_garbage(store: Store) -> None:
    put(store, OLD)
    entry(store, {"mediaType": mediatypes.OCI_MANIFEST, "size": "large"}, OLD)
    refused(store, StoreError, "not a size.*not known: nothing was removed")


def aged(store: Store, seconds: float, *blobs: bytes) -> None:
    for data in blobs:
        os.utime(store.path(Digest.of(data)), (NOW - seconds, NOW - seconds))


def test_older_than_leaves_what_is_young(store: Store) -> None:
    put(store, OLD, NEW)
    aged(store, 3 * DAY, OLD)
    aged(store, DAY, NEW)
    assert gone(run(store, replace(WISH, older_than=2 * DAY))) == of(OLD)


def test_older_than_leaves_a_young_image_whole(store: Store) -> None:
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD)
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    aged(store, 3 * DAY, CONFIG, BASE, OLD, OLD_INDEX)
    aged(store, DAY, OLD_IMAGE)
    assert gone(run(store, replace(WISH, older_than=2 * DAY))) == of(OLD_INDEX)
    aged(store, 3 * DAY, OLD_IMAGE)
    assert gone(run(store, replace(WISH, older_than=2 * DAY))) == of(OLD_IMAGE, OLD)


def keep(*names: str, digests: set[Digest] = frozenset()) -> PruneWish:  # type: ignore[assignment]
    return replace(WISH, keep=Keep(names=frozenset(names), digests=frozenset(digests)))


def test_with_a_lockfile_names_that_it_lacks_go(store: Store) -> None:
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD, tag=f"{REPOSITORY}:old")
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)
    pruned = run(store, keep(TAG))
    assert {name.name for name in pruned.names} == {f"{REPOSITORY}:old", member_name(OLD_IMAGE)}
    assert gone(pruned) == of(OLD_INDEX, OLD_IMAGE, OLD)
    assert named(store) == {TAG, member_name(NEW_IMAGE)}


def test_what_a_lockfile_pins_stays_without_a_name(store: Store) -> None:
    put(store, CONFIG, BASE, OLD, OLD_IMAGE, OLD_INDEX, NEW)
    pruned = run(store, keep(digests=of(OLD_INDEX)))
    assert gone(pruned) == of(NEW)


def test_a_lockfile_and_older_than_both_keep(store: Store) -> None:
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD)
    wish = replace(keep(), older_than=2 * DAY)
    aged(store, DAY, CONFIG, BASE, OLD, OLD_IMAGE, OLD_INDEX)
    assert run(store, wish).names == ()
    aged(store, 3 * DAY, CONFIG, BASE, OLD, OLD_IMAGE, OLD_INDEX)
    assert len(run(store, wish).blobs) == 5
    assert named(store) == set()


def test_a_damaged_manifest_that_a_lockfile_pins_makes_nothing_garbage(store: Store) -> None:
    put(store, CONFIG, BASE, OLD, OLD_IMAGE)
    spoil(store, OLD_IMAGE)
    with pytest.raises(IntegrityError, match="not known"):
        prune(store, keep(digests=of(OLD_IMAGE)), now=NOW)
    assert store.has(Digest.of(OLD))


def test_partials_have_an_age_of_their_own(store: Store) -> None:
    for data, age in ((OLD, 2 * DAY), (NEW, DAY / 2)):
        with store.begin(Digest.of(data), len(data)) as ingest:
            ingest.write(0, data[:1000])
        path = store.root / "ingest" / f"sha256-{Digest.of(data).hex}"
        os.utime(path, (NOW - age, NOW - age))
    (partial,) = run(store).partials
    assert partial.name.endswith(Digest.of(OLD).hex)
    assert 0 < partial.size <= 1000
    assert len(list((store.root / "ingest").glob("*"))) == 2


def test_a_killed_prune_has_taken_names_before_blobs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(store, OLD_INDEX, OLD_IMAGE, BASE, OLD)
    pull(store, NEW_INDEX, NEW_IMAGE, BASE, NEW)

    def die(_digest: Digest) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store.blobs, "remove", die)
    with pytest.raises(KeyboardInterrupt):
        prune(store, WISH, now=NOW)
    assert named(store) == {TAG, member_name(NEW_IMAGE)}
    assert store.has(Digest.of(OLD))
