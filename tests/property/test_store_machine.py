"""A store under any sequence of steps, deaths and power cuts.

What must hold: a blob that `has` vouches for hashes to its name; without a power cut every file in
`blobs/` does; a named image is complete, since the caller names it last; nothing acknowledged is
ever lost except to a power cut, and then it is denied, not served.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from pinner.errors import IntegrityError
from pinner.oci.digest import Digest
from pinner.store import ingest as ingest_module
from pinner.store.ingest import Busy, Ingest, Present
from pinner.store.verify import Fault, verify
from support import storing
from support.storing import open_store

if TYPE_CHECKING:
    from pinner.store.layout import Store

LAYERS = [storing.noise(seed, size) for seed, size in enumerate((0, 1, 700, 1500, 4000))]
IMAGES = [storing.manifest_of(b"", layers) for layers in (LAYERS[:3], LAYERS[2:], LAYERS[:1])]
BLOBS = {Digest.of(data): data for data in (*LAYERS, *IMAGES)}
NEEDS = {Digest.of(image): image for image in IMAGES}
digests = st.sampled_from(sorted(BLOBS))


class StoreMachine(RuleBasedStateMachine):
    """Two handles on one store stand for two processes."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        # Small blobs meet every path of large ones.
        self.patch.setattr(ingest_module, "_JOURNAL_EVERY", 300)
        self.patch.setattr(ingest_module, "_CATCH_UP", 200)
        self.patch.setattr(os, "fsync", lambda fd: None)  # the power cuts are ours
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "store"
        self.boots = 0
        self.stored: set[Digest] = set()
        self.unsynced: set[Digest] = set()
        self.named: dict[str, Digest] = {}
        self.ingests: dict[Digest, Ingest] = {}
        self.power_was_cut = False

    @initialize()
    def start(self) -> None:
        self._boot()

    def _boot(self) -> None:
        self.boots += 1
        boot = str(UUID(int=self.boots))
        self.stores = [open_store(self.root, boot=boot), open_store(self.root, boot=boot)]

    def _store(self, number: int) -> Store:
        return self.stores[number]

    def _wrote(self, digest: Digest, *, synced: bool) -> None:
        self.stored.add(digest)
        if not synced:
            self.unsynced.add(digest)

    @rule(number=st.integers(0, 1), announced=st.sets(digests))
    def announce(self, number: int, announced: set[Digest]) -> None:
        self._store(number).announce(announced)

    @rule(number=st.integers(0, 1), digest=digests)
    def put(self, number: int, digest: Digest) -> None:
        store = self._store(number)
        was_there = store.has(digest)
        store.put(digest, BLOBS[digest])
        if not was_there:
            self._wrote(digest, synced=not store.ledger.is_announced(digest))

    @rule(number=st.integers(0, 1), digest=digests)
    def begin(self, number: int, digest: Digest) -> None:
        store = self._store(number)
        try:
            ingest = store.begin(digest, len(BLOBS[digest]))
        except Present:
            assert digest in self.stored
        except Busy:
            assert digest in self.ingests
        else:
            assert digest not in self.ingests
            self.ingests[digest] = ingest

    @precondition(lambda self: self.ingests)
    @rule(data=st.data(), is_right=st.sampled_from([True, True, True, False]))
    def write(self, data: st.DataObject, *, is_right: bool) -> None:
        digest = data.draw(st.sampled_from(sorted(self.ingests)))
        ingest, blob = self.ingests[digest], BLOBS[digest]
        for gap_start, gap_end in data.draw(st.permutations(ingest.missing()))[:1]:
            start = data.draw(st.integers(gap_start, gap_end - 1))
            end = data.draw(st.integers(start + 1, gap_end))
            piece = blob[start:end]
            ingest.write(start, piece if is_right else piece[::-1])

    @precondition(lambda self: self.ingests)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """Receive what is missing and commit; wrong bytes of before are refused, then replaced."""
        digest = data.draw(st.sampled_from(sorted(self.ingests)))
        ingest, blob = self.ingests.pop(digest), BLOBS[digest]
        with ingest:
            for attempt in range(2):
                for start, end in ingest.missing():
                    ingest.write(start, blob[start:end])
                try:
                    ingest.commit()
                except IntegrityError:
                    assert attempt == 0
                    assert ingest.missing() == ((0, len(blob)),)
                else:
                    break
        self._wrote(digest, synced=ingest._sync)

    @precondition(lambda self: self.ingests)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        self.ingests.pop(data.draw(st.sampled_from(sorted(self.ingests)))).close()

    @rule(number=st.integers(0, 1), image=st.sampled_from(sorted(NEEDS)), tag=st.integers(0, 2))
    def name(self, number: int, image: Digest, tag: int) -> None:
        """As sync does: only when everything that the image needs is stored."""
        store = self._store(number)
        index = IMAGES.index(NEEDS[image])
        layers = (LAYERS[:3], LAYERS[2:], LAYERS[:1])[index]
        if all(store.has(Digest.of(data)) for data in (*layers, b"", NEEDS[image])):
            text = f"docker.io/library/app:{tag}"
            storing.name(store, text, NEEDS[image])
            self.named[text] = image

    @rule(number=st.integers(0, 1))
    def reopen(self, number: int) -> None:
        if not self.ingests:
            boot = str(UUID(int=self.boots))
            self.stores[number].close()
            self.stores[number] = open_store(self.root, boot=boot)

    @rule()
    def die(self) -> None:
        """Both processes are killed: the kernel closes their files, nobody tidies up."""
        for ingest in self.ingests.values():
            ingest._partial.close()
            ingest._open = False
        self.ingests.clear()
        for store in self.stores:
            store.blobs.close()
            store._folder.close()
            if store._ingest is not None:
                store._ingest.close()
        boot = str(UUID(int=self.boots))
        self.stores = [open_store(self.root, boot=boot), open_store(self.root, boot=boot)]

    @rule(spoiled=st.sets(digests), how=st.sampled_from(["zeros", "short", "gone"]))
    def cut_power(self, spoiled: set[Digest], how: str) -> None:
        """Any part of what was not synced is lost; then the machine boots again."""
        self.die()
        for digest in spoiled & self.unsynced:
            self.power_was_cut = True
            path = self.stores[0].path(digest)
            path.chmod(0o644)
            size = path.stat().st_size
            if how == "gone":
                path.unlink()
            else:
                path.write_bytes(b"\0" * (size if how == "zeros" else size // 2))
            if how == "gone" or path.read_bytes() != BLOBS[digest]:
                self.stored.discard(digest)
        self.unsynced.clear()
        for store in self.stores:
            store.close()
        self._boot()

    @rule()
    def sweep(self) -> None:
        self.stores[0].sweep(now=2**40, older_than=0)

    @rule()
    def verify(self) -> None:
        report = verify(self.stores[0], jobs=1)
        if not self.power_was_cut:
            assert report.findings == ()
        corrupt = {f.digest for f in report.findings if f.fault is Fault.CORRUPT}
        assert not corrupt & self.stored
        self.unsynced.clear()

    @invariant()
    def what_it_vouches_for_is_true(self) -> None:
        if not hasattr(self, "stores"):
            return
        for digest, data in BLOBS.items():
            for store in self.stores:
                assert store.has(digest, len(data)) is (digest in self.stored)
                if digest in self.stored:
                    assert store.read(digest, len(data)) == data

    @invariant()
    def only_a_power_cut_leaves_a_wrong_blob(self) -> None:
        if not self.power_was_cut:
            storing.check_tree(self.root)

    @invariant()
    def every_name_is_kept(self) -> None:
        if hasattr(self, "stores"):
            kept = {image.name: image.descriptor.digest for image in self.stores[1].images()}
            assert kept == self.named

    def teardown(self) -> None:
        self.patch.undo()
        for ingest in self.ingests.values():
            ingest.close()
        for store in getattr(self, "stores", []):
            store.close()
        shutil.rmtree(self.folder)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(stateful_step_count=40)
