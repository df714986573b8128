"""What a lease holds is not pruned; a dead process holds nothing (docs/adr/0007-leases.md)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pinner.errors import StoreError
from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.store.leases import hold_image
from pinner.store.prune import PruneWish, prune
from support import storing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pinner.store.layout import Store

NOW = 2.0**40
LAYER, OTHER, CONFIG = storing.noise(1, 3000), storing.noise(2, 5000), b"{}"
ALL = PruneWish(partials_older_than=0)


def put(store: Store, *blobs: bytes) -> list[Digest]:
    for data in blobs:
        store.put(Digest.of(data), data)
    return [Digest.of(data) for data in blobs]


def gone(store: Store) -> set[Digest]:
    """What a prune of everything that nobody needs removes."""
    return {blob.digest for blob in prune(store, ALL, now=NOW).blobs}


def files(store: Store) -> list[Path]:
    return list((store.root / ".pinner/leases").glob("*"))


def test_a_lease_that_holds_nothing_writes_nothing(store: Store) -> None:
    before = sorted(store.root.rglob("*"))
    with store.lease() as lease:
        lease.hold([])
        assert sorted(store.root.rglob("*")) == before


def test_what_is_held_stays_and_goes_when_the_lease_ends(store: Store) -> None:
    held, other = put(store, LAYER, OTHER)
    with store.lease() as lease:
        lease.hold([held])
        assert gone(store) == {other}
        assert store.has(held)
    assert files(store) == []
    assert gone(store) == {held}


def test_more_can_be_held_later(store: Store) -> None:
    digests = put(store, LAYER, OTHER)
    with store.lease() as lease:
        for digest in digests:
            lease.hold([digest])
        assert store.leased() == set(digests)
        assert gone(store) == set()


def test_what_is_held_need_not_be_here_yet(store: Store) -> None:
    digest = Digest.of(LAYER)
    with store.lease() as lease:
        lease.hold([digest])
        assert gone(store) == set()
        storing.fill(store, LAYER)
        assert gone(store) == set()
        assert store.has(digest)


def test_a_partial_that_is_held_stays_however_old(store: Store) -> None:
    with store.begin(Digest.of(LAYER), len(LAYER)) as ingest:
        ingest.write(0, LAYER[:2000])
    with store.lease() as lease:
        lease.hold([Digest.of(LAYER)])
        assert prune(store, ALL, now=NOW).partials == ()
    (partial,) = prune(store, ALL, now=NOW).partials
    assert partial.name == f"sha256-{Digest.of(LAYER).hex}"


def test_T22_a_killed_process_holds_nothing_and_leaves_nothing(store: Store) -> None:
    (digest,) = put(store, storing.noise(7, 1000))
    process = storing.start("lease", store.root, 7)
    assert process.stdout is not None
    assert process.stdout.readline() == "leasing\n"
    assert gone(store) == set()
    process.kill()
    process.communicate()
    assert len(files(store)) == 1
    assert gone(store) == {digest}
    assert files(store) == []


def test_the_next_lease_clears_what_a_killed_process_left(store: Store) -> None:
    process = storing.start("lease", store.root, 7)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.communicate()
    (dead,) = files(store)
    with store.lease() as lease:
        lease.hold([Digest.of(LAYER)])
        assert dead not in files(store)


def test_a_dry_run_leaves_dead_leases_alone(store: Store) -> None:
    put(store, LAYER)
    folder = store.root / ".pinner/leases"
    folder.mkdir(parents=True)
    (folder / ("0" * 32)).write_text(f"{Digest.of(LAYER)}\n")
    assert len(prune(store, ALL, now=NOW, dry_run=True).blobs) == 1
    assert len(files(store)) == 1


def test_a_lease_that_cannot_be_read_stops_a_prune(store: Store) -> None:
    put(store, LAYER)
    folder = store.root / ".pinner/leases"
    folder.mkdir(parents=True)
    (folder / ("0" * 32)).symlink_to("elsewhere")
    with pytest.raises(StoreError, match="symbolic link"):
        prune(store, ALL, now=NOW)
    assert store.has(Digest.of(LAYER))


def test_what_is_no_lease_is_left_alone(store: Store) -> None:
    folder = store.root / ".pinner/leases"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    prune(store, ALL, now=NOW)
    assert [file.name for file in files(store)] == ["notes.txt"]


def refuse_leases(store: Store) -> None:
    """Let no lease be written, for root either."""
    (store.root / ".pinner").mkdir(exist_ok=True)
    (store.root / ".pinner/leases").write_text("")


def test_a_lease_that_cannot_be_written_is_an_error(store: Store) -> None:
    refuse_leases(store)
    with store.lease() as lease, pytest.raises(StoreError):
        lease.hold([Digest.of(LAYER)])


def test_a_reader_does_without(store: Store) -> None:
    refuse_leases(store)
    with store.lease(optional=True) as lease:
        lease.hold([Digest.of(LAYER)])
        lease.hold([Digest.of(OTHER)])
    assert [path.name for path in (store.root / ".pinner").glob("lease*")] == ["leases"]
    assert (store.root / ".pinner/leases").read_text() == ""


def test_a_write_that_failed_holds_nothing_and_may_be_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = put(store, LAYER, OTHER)
    real = os.pwrite
    with store.lease() as lease:
        lease.hold([first])
        with monkeypatch.context() as patch:

            def fail(fd: int, data: bytes, offset: int) -> int:
                real(fd, bytes(data)[:5], offset)
                raise OSError(28, "No space left on device")

            patch.setattr(os, "pwrite", fail)
            with pytest.raises(StoreError):
                lease.hold([second])
        assert store.leased() == {first}
        lease.hold([second])
        assert store.leased() == {first, second}


def test_an_image_is_held_with_all_that_is_below_it(store: Store) -> None:
    manifest = storing.manifest_of(CONFIG, [LAYER])
    index = storing.index_of([manifest, storing.manifest_of(CONFIG, [OTHER])])
    here = put(store, CONFIG, LAYER, manifest, index)
    (other,) = put(store, OTHER)
    with store.lease() as lease:
        hold_image(store, lease, storing.describe(index, mediatypes.OCI_INDEX))
        assert gone(store) == {other}
        assert all(map(store.has, here))


def test_what_comes_below_an_image_while_it_is_held_is_held_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another platform is synced between the look and the hold."""
    first, late = (storing.manifest_of(CONFIG, [layer]) for layer in (LAYER, OTHER))
    index = storing.index_of([first, late])
    put(store, CONFIG, LAYER, first, index)
    with store.lease() as lease:
        real = lease.hold

        def hold(digests: Iterable[Digest]) -> None:
            put(store, OTHER, late)
            real(digests)

        monkeypatch.setattr(lease, "hold", hold)
        hold_image(store, lease, storing.describe(index, mediatypes.OCI_INDEX))
        assert gone(store) == set()
