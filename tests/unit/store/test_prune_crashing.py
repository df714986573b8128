"""A prune that dies at any of its calls to the file system takes nothing that is needed."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
from typing import TYPE_CHECKING

from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.store.names import NamedDescriptor, member
from pinner.store.prune import PruneWish, prune
from pinner.store.verify import verify
from support import storing
from support.dying import survives
from support.storing import open_store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CONFIG = b"{}"
BASE, OLD, NEW, LEASED = (storing.noise(seed, 700 + seed) for seed in range(4))
IMAGES = [storing.manifest_of(CONFIG, [BASE, layer]) for layer in (OLD, NEW)]
TAG = "docker.io/library/app:1"
NEEDED = (CONFIG, BASE, NEW, IMAGES[1], storing.index_of([IMAGES[1]]))


def fill(root: Path) -> None:
    """An image whose tag moved, one that has it, a blob for a lease and an old partial."""
    with open_store(root) as store:
        for image, layer in zip(IMAGES, (OLD, NEW), strict=True):
            index = storing.index_of([image])
            for data in (CONFIG, BASE, layer, image, index):
                store.put(Digest.of(data), data)
            root_of = storing.describe(index, mediatypes.OCI_INDEX)
            below = member(storing.describe(image, mediatypes.OCI_MANIFEST), root_of.digest)
            name = f"docker.io/library/app@{below.digest}"
            store.name_images(
                [
                    NamedDescriptor(name=name, descriptor=below),
                    NamedDescriptor(name=TAG, descriptor=root_of),
                ]
            )
        store.put(Digest.of(LEASED), LEASED)
        with store.begin(Digest.of(b"x" * 900), 900) as ingest:
            ingest.write(0, b"x" * 500)


def tidy(root: Path) -> None:
    with open_store(root) as store:
        prune(store, PruneWish(partials_older_than=0), now=2.0**40)


def test_T02_a_prune_dies_at_every_call_to_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # a death loses no pages; this saves time
    died_half_way = 0
    fill(tmp_path / "filled")
    for calls in itertools.count():
        root = tmp_path / f"dies-{calls}"
        shutil.copytree(tmp_path / "filled", root)
        with open_store(root) as store, store.lease() as lease:
            lease.hold([Digest.of(LEASED)])
            survived = survives(functools.partial(tidy, root), calls=calls)
            storing.check_tree(root)
            assert verify(store, jobs=1).findings == ()
            assert all(store.has(Digest.of(data)) for data in (*NEEDED, LEASED))
            left = {Digest.of(data) for data in (OLD, IMAGES[0]) if store.has(Digest.of(data))}
            died_half_way += len(left) == 1
            tidy(root)
            assert {file.name for file in root.glob("blobs/*/*")} == {
                Digest.of(data).hex for data in (*NEEDED, LEASED)
            }
            assert not list((root / "ingest").iterdir())
            assert verify(store, jobs=1).findings == ()
        if survived:
            break
    assert calls > 20
    assert died_half_way


def hold(root: Path) -> None:
    with open_store(root) as store, store.lease() as lease:
        lease.hold([Digest.of(LEASED)])
        lease.hold([Digest.of(OLD)])


def test_T02_a_lease_dies_at_every_call_to_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    for calls in itertools.count():
        root = tmp_path / f"dies-{calls}"
        with open_store(root) as store:
            store.put(Digest.of(LEASED), LEASED)
            survived = survives(functools.partial(hold, root), calls=calls)
            pruned = prune(store, PruneWish(partials_older_than=0), now=2.0**40)
            assert [blob.digest for blob in pruned.blobs] == [Digest.of(LEASED)]
            folder = root / ".pinner/leases"
            assert not folder.exists() or not list(folder.iterdir())
        if survived:
            break
    assert calls > 5
