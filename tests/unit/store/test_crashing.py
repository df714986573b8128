"""The store after a death at any moment: the table "Crash here" of docs/store.md."""

from __future__ import annotations

import functools
import itertools
import os
import random
import threading
from typing import TYPE_CHECKING

import pytest

from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.store import ingest as ingest_module
from pinner.store.ingest import Present
from pinner.store.verify import Fault, verify
from support import storing
from support.dying import survives
from support.storing import open_store

if TYPE_CHECKING:
    from pathlib import Path

CONFIG, LAYER = b'{"os": "linux"}', storing.noise(1, 300_000)
IMAGE = storing.manifest_of(CONFIG, [LAYER])
INDEX = storing.index_of([IMAGE])
TAG = "docker.io/library/app:1"


def pull(root: Path) -> None:
    """One image, in the order of a sync: blobs, then manifests, then the name."""
    with open_store(root) as store:
        store.announce([Digest.of(data) for data in (CONFIG, LAYER, IMAGE, INDEX)])
        for data in (IMAGE, INDEX):
            store.put(Digest.of(data), data)
        for data in (LAYER, CONFIG):
            try:
                storing.fill(store, data, piece=50_000)
            except Present:
                continue
        storing.name(store, TAG, INDEX, mediatypes.OCI_INDEX)


def blobs_of(root: Path) -> set[str]:
    return {path.name for path in root.glob("blobs/*/*")}


@pytest.fixture
def whole(tmp_path: Path) -> set[str]:
    """The blobs that a run without a death leaves."""
    pull(tmp_path / "whole")
    return blobs_of(tmp_path / "whole")


def test_T02_death_at_every_call_to_the_file_system(
    tmp_path: Path, whole: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "_JOURNAL_EVERY", 60_000)
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # a death loses no pages; this saves time
    died_with_a_partial = 0
    for calls in itertools.count():
        root = tmp_path / f"dies-{calls}"
        survived = survives(functools.partial(pull, root), calls=calls)
        storing.check_tree(root)
        if (root / "oci-layout").exists():
            with open_store(root, create=False) as store:
                assert verify(store, jobs=1).findings == ()
        died_with_a_partial += any(root.glob("ingest/*.extents"))
        pull(root)
        assert blobs_of(root) == whole
        with open_store(root) as store:
            assert [image.name for image in store.images()] == [TAG]
            assert verify(store, jobs=1).findings == ()
            store.sweep(now=2**40, older_than=0)
        assert not list((root / "ingest").iterdir())
        if survived:
            break
    assert calls > 60
    assert died_with_a_partial > 5


def test_T01_killed_at_random_twenty_times(root: Path) -> None:
    """What was acknowledged is there and whole; what was not is invisible or whole."""
    chance = random.Random(17)
    acknowledged: set[int] = set()
    for death in range(20):
        process = storing.start("many", root, 1)
        assert process.stdout is not None
        # Every other one dies while it works, the others perhaps before.
        output = process.stdout.readline() if death % 2 else ""
        killer = threading.Timer(chance.uniform(0.0, 0.15), process.kill)
        killer.start()
        output += process.stdout.read()
        killer.join()
        process.communicate()
        acknowledged |= {int(line) for line in output.split()}
        storing.check_tree(root)
    assert acknowledged
    with open_store(root) as store:
        named = {image.name for image in store.images()}
        assert named >= {f"docker.io/library/image:{number}" for number in acknowledged}
        assert [f for f in verify(store, jobs=2).findings if f.fault is not Fault.STRAY] == []
