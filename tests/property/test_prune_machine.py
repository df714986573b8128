"""Names, leases and prunes in any order: what is reachable or leased stays, all else goes.

The model knows which blobs each index has; nothing of it is taken from the code under test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.store.names import NamedDescriptor, member
from pinner.store.naming import tag, untag
from pinner.store.prune import Keep, PruneWish, prune
from pinner.store.verify import verify
from support import storing
from support.storing import open_store

if TYPE_CHECKING:
    from pinner.store.layout import Store
    from pinner.store.leases import Lease

CONFIG = b"{}"
LAYERS = [storing.noise(seed, 50 + seed) for seed in range(4)]
IMAGES = [storing.manifest_of(CONFIG, LAYERS[start : start + 2]) for start in range(3)]
# The first two share a manifest.
INDEXES = [
    storing.index_of(members) for members in ((IMAGES[0], IMAGES[1]), (IMAGES[1],), (IMAGES[2],))
]
BELOW = {
    Digest.of(INDEXES[0]): [IMAGES[0], IMAGES[1]],
    Digest.of(INDEXES[1]): [IMAGES[1]],
    Digest.of(INDEXES[2]): [IMAGES[2]],
}
DATA = {Digest.of(data): data for data in (CONFIG, *LAYERS, *IMAGES, *INDEXES)}
NEEDS = {
    **{
        Digest.of(image): {
            Digest.of(data) for data in (CONFIG, image, *LAYERS[number : number + 2])
        }
        for number, image in enumerate(IMAGES)
    }
}
NEEDS |= {
    index: {index}.union(*(NEEDS[Digest.of(image)] for image in members))
    for index, members in BELOW.items()
}
REPOSITORY = "docker.io/library/app"
TAGS = [f"{REPOSITORY}:{number}" for number in range(3)]
indexes = st.sampled_from(sorted(BELOW))
digests = st.sampled_from(sorted(DATA))


class PruneMachine(RuleBasedStateMachine):
    """Two handles on one store stand for two processes; each may have leases."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(os, "fsync", lambda fd: None)
        self.folder = Path(tempfile.mkdtemp())
        self.stored: set[Digest] = set()
        self.tags: dict[str, Digest] = {}
        self.asked: set[Digest] = set()  # images named by digest in their own right
        self.brought: set[Digest] = set()  # those that an index brought
        self.leases: list[tuple[Lease, set[Digest]]] = []

    @initialize()
    def start(self) -> None:
        self.stores = [open_store(self.folder / "store") for _ in range(2)]

    def _put(self, store: Store, digest: Digest) -> None:
        store.put(digest, DATA[digest])
        self.stored.add(digest)

    @rule(number=st.integers(0, 1), digest=digests)
    def put(self, number: int, digest: Digest) -> None:
        self._put(self.stores[number], digest)

    @rule(number=st.integers(0, 1), index=indexes, name=st.sampled_from(TAGS), prunes=st.booleans())
    def pull(self, number: int, index: Digest, name: str, *, prunes: bool) -> None:
        """As sync does, with the other process pruning before every step."""
        store, other = self.stores[number], self.stores[1 - number]
        with store.lease() as lease:
            held: set[Digest] = set()
            self.leases.append((lease, held))
            for digest in sorted(NEEDS[index]):
                lease.hold([digest])
                held.add(digest)
                if not store.has(digest):
                    self._put(store, digest)
                if prunes:
                    self._prune(other, None)
            names = [
                NamedDescriptor(
                    name=f"{REPOSITORY}@{Digest.of(image)}",
                    descriptor=member(storing.describe(image, mediatypes.OCI_MANIFEST), index),
                )
                for image in BELOW[index]
            ]
            root = storing.describe(DATA[index], mediatypes.OCI_INDEX)
            store.name_images([*names, NamedDescriptor(name=name, descriptor=root)])
            self.leases.pop()
        self.tags[name] = index
        self.brought |= {Digest.of(image) for image in BELOW[index]} - self.asked

    @rule(number=st.integers(0, 1), image=st.sampled_from(IMAGES))
    def ask_by_digest(self, number: int, image: bytes) -> None:
        store, digest = self.stores[number], Digest.of(image)
        for needed in NEEDS[digest]:
            self._put(store, needed)
        storing.name(store, f"{REPOSITORY}@{digest}", image)
        self.asked.add(digest)
        self.brought.discard(digest)

    @precondition(lambda self: self.tags)
    @rule(number=st.integers(0, 1), data=st.data(), new=st.sampled_from(TAGS))
    def tag(self, number: int, data: st.DataObject, new: str) -> None:
        source = data.draw(st.sampled_from(sorted(self.tags)))
        tag(self.stores[number], source, Reference.parse(new))
        self.tags[new] = self.tags[source]

    @precondition(lambda self: self.tags)
    @rule(number=st.integers(0, 1), data=st.data())
    def untag(self, number: int, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.tags)))
        untag(self.stores[number], [name])
        gone = {Digest.of(image) for image in BELOW[self.tags.pop(name)]}
        self.brought -= gone - self._members()

    def _members(self) -> set[Digest]:
        return {Digest.of(image) for index in self.tags.values() for image in BELOW[index]}

    @rule(number=st.integers(0, 1), held=st.sets(digests, min_size=1))
    def hold(self, number: int, held: set[Digest]) -> None:
        lease = self.stores[number].lease()
        lease.hold(held)
        self.leases.append((lease, held))

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), dies=st.booleans())
    def end(self, data: st.DataObject, *, dies: bool) -> None:
        lease, _ = self.leases.pop(data.draw(st.integers(0, len(self.leases) - 1)))
        if dies:  # the kernel closes the file, nobody removes it
            os.close(lease._fd)
            lease._fd = -1
        lease.close()

    @rule(number=st.integers(0, 1))
    def prune(self, number: int) -> None:
        self._prune(self.stores[number], None)

    @rule(number=st.integers(0, 1), tags=st.sets(st.sampled_from(TAGS)), pinned=st.sets(indexes))
    def prune_to_lock(self, number: int, tags: set[str], pinned: set[Digest]) -> None:
        self._prune(self.stores[number], Keep(names=frozenset(tags), digests=frozenset(pinned)))

    def _prune(self, store: Store, keep: Keep | None) -> None:
        wish = PruneWish(keep=keep, partials_older_than=0)
        would = prune(store, wish, now=2.0**40, dry_run=True)
        assert prune(store, wish, now=2.0**40) == would
        locked = set().union(*(self._here(one) for one in keep.digests)) if keep else set()
        if keep is not None:
            self.tags = {name: one for name, one in self.tags.items() if name in keep.names}
            self.asked.clear()
        # A name that an index brought lives as long as the manifest is needed by something else.
        needed = locked.union(*(NEEDS[one] for one in (*self.tags.values(), *self.asked)))
        self.brought &= needed
        held = set().union(*(held for _, held in self.leases))
        gone = {blob.digest for blob in would.blobs}
        assert gone == self.stored - needed - held
        self.stored -= gone

    def _here(self, root: Digest) -> set[Digest]:
        """What a pinned index reaches through manifests that are here."""
        if root not in self.stored:
            return set()
        below = {Digest.of(image) for image in BELOW[root]}
        return {root} | below.union(*(NEEDS[one] for one in below & self.stored))

    @invariant()
    def the_blobs_are_those_of_the_model(self) -> None:
        if hasattr(self, "stores"):
            files = (self.folder / "store/blobs").glob("*/*")
            assert {file.name for file in files} == {digest.hex for digest in self.stored}

    @invariant()
    def the_names_are_those_of_the_model(self) -> None:
        if hasattr(self, "stores"):
            found = {one.name: one.is_member for one in self.stores[0].images()}
            by_digest = {
                **{f"{REPOSITORY}@{digest}": True for digest in self.brought},
                **{f"{REPOSITORY}@{digest}": False for digest in self.asked},
            }
            assert found == {**dict.fromkeys(self.tags, False), **by_digest}

    @invariant()
    def every_tag_is_complete(self) -> None:
        if hasattr(self, "stores"):
            for index in self.tags.values():
                assert NEEDS[index] <= self.stored

    def teardown(self) -> None:
        self.patch.undo()
        for lease, _ in self.leases:
            lease.close()
        if hasattr(self, "stores"):
            assert verify(self.stores[0], jobs=1).findings == ()
            for store in self.stores:
                store.close()
        shutil.rmtree(self.folder)


TestPruneMachine = PruneMachine.TestCase
TestPruneMachine.settings = settings(stateful_step_count=30)
