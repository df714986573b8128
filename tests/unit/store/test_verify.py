from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.store import fs, names
from pinner.store.names import NamedDescriptor
from pinner.store.reach import reach
from pinner.store.verify import Fault, Report, verify
from support import storing
from support.storing import NEXT_BOOT, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinner.store.layout import Store

CONFIG, LAYER, OTHER_LAYER = b'{"os": "linux"}', b"a layer", b"another layer"
IMAGE = storing.manifest_of(CONFIG, [LAYER])
OTHER_IMAGE = storing.manifest_of(CONFIG, [LAYER, OTHER_LAYER])
INDEX = storing.index_of([IMAGE, OTHER_IMAGE])
TAG = "docker.io/library/app:1"


@pytest.fixture
def full(store: Store) -> Store:
    """A store with an index and one of its two images, as a sync for one platform leaves it."""
    for data in (CONFIG, LAYER, IMAGE, INDEX):
        store.put(Digest.of(data), data)
    storing.name(store, TAG, INDEX, mediatypes.OCI_INDEX)
    return store


def path(store: Store, data: bytes) -> Path:
    return store.path(Digest.of(data))


def spoil(store: Store, data: bytes, new: bytes) -> None:
    path(store, data).chmod(0o644)
    path(store, data).write_bytes(new)


def found(report: Report) -> list[tuple[Fault, str, tuple[str, ...]]]:
    return [(finding.fault, finding.path.name[:12], finding.images) for finding in report.findings]


def test_a_sparse_index_is_no_finding(full: Store) -> None:
    report = verify(full, jobs=2)
    assert report == Report(
        blobs=4, size=sum(map(len, (CONFIG, LAYER, IMAGE, INDEX))), images=1, findings=()
    )


def test_an_empty_store_is_well(store: Store) -> None:
    assert verify(store, jobs=1) == Report(blobs=0, size=0, images=0, findings=())


@pytest.mark.parametrize("data", [CONFIG, LAYER, IMAGE, INDEX])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data.swapcase(), id="T10-same size"),
        pytest.param(lambda data: data[:-1], id="T11-shorter"),
        pytest.param(lambda data: data + b" ", id="longer"),
        pytest.param(lambda data: b"", id="T11-empty"),
    ],
)
def test_a_corrupt_blob_is_found_and_the_next_sync_fetches_it_anew(
    full: Store, data: bytes, damage: Callable[[bytes], bytes]
) -> None:
    spoil(full, data, damage(data))
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.CORRUPT
    assert finding.digest == Digest.of(data)
    assert finding.path == path(full, data)
    assert finding.images == (TAG,)
    with open_store(full.root) as later:
        assert not later.has(Digest.of(data))
        later.put(Digest.of(data), data)
        assert later.has(Digest.of(data), len(data))
        assert verify(later, jobs=2).findings == ()


def test_a_corrupt_layer_names_the_images_that_need_it(full: Store) -> None:
    storing.name(full, "docker.io/library/app:2", IMAGE)
    spoil(full, LAYER, LAYER.upper())
    assert found(verify(full, jobs=2)) == [
        (Fault.CORRUPT, Digest.of(LAYER).hex[:12], (TAG, "docker.io/library/app:2"))
    ]


@pytest.mark.parametrize("data", [CONFIG, LAYER, INDEX])
def test_a_missing_blob_is_found(full: Store, data: bytes) -> None:
    path(full, data).unlink()
    assert found(verify(full, jobs=2)) == [
        (Fault.MISSING, Digest.of(data).hex[:12], (TAG,)),
    ]


def test_an_index_without_any_member_is_incomplete(full: Store) -> None:
    path(full, IMAGE).unlink()
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.MISSING
    assert finding.what == f"none of the 2 manifests of {Digest.of(INDEX)} is here"


def test_an_image_without_a_name_is_followed_too(full: Store) -> None:
    digest = Digest.of(INDEX)
    document = full.index()
    del document["manifests"][0]["annotations"]
    (full.root / "index.json").write_bytes(names.dumps(document))
    path(full, LAYER).unlink()
    report = verify(full, jobs=2)
    assert report.images == 0
    assert found(report) == [(Fault.MISSING, Digest.of(LAYER).hex[:12], (str(digest),))]


def test_a_descriptor_that_lies_about_the_size_is_found(full: Store) -> None:
    descriptor = storing.describe(INDEX, mediatypes.OCI_INDEX)
    lying = type(descriptor)(
        media_type=descriptor.media_type, digest=descriptor.digest, size=descriptor.size + 1
    )
    full.name_images([NamedDescriptor(name=TAG, descriptor=lying)])
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.MALFORMED
    assert f"has {len(INDEX)} bytes, its descriptor says {len(INDEX) + 1}" in finding.what


def test_a_root_that_is_no_manifest_is_found(full: Store) -> None:
    full.put(Digest.of(b"{}"), b"{}")
    storing.name(full, "docker.io/library/bad:1", b"{}")
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.MALFORMED
    assert finding.images == ("docker.io/library/bad:1",)


def test_a_manifest_that_two_names_share_is_followed_for_both(full: Store) -> None:
    twin = storing.index_of([IMAGE, IMAGE])
    full.put(Digest.of(twin), twin)
    storing.name(full, "docker.io/library/twin:1", twin, mediatypes.OCI_INDEX)
    path(full, CONFIG).unlink()
    (finding,) = verify(full, jobs=2).findings
    assert finding.images == (TAG, "docker.io/library/twin:1")


def test_an_index_that_repeats_a_manifest_costs_one_read_of_it(full: Store) -> None:
    twin = storing.index_of([IMAGE] * 500)
    blobs = {Digest.of(data): data for data in (CONFIG, LAYER, IMAGE, twin)}
    read: list[Digest] = []

    def reader(digest: Digest) -> bytes:
        read.append(digest)
        return blobs[digest]

    root = storing.describe(twin, mediatypes.OCI_INDEX)
    found = reach(root, {digest: len(data) for digest, data in blobs.items()}.get, reader)
    assert set(found.needed) == set(blobs)
    assert read == [Digest.of(twin), Digest.of(IMAGE)]


def test_an_artifact_of_another_type_is_only_looked_for(full: Store) -> None:
    full.put(Digest.of(b"{}"), b"{}")
    storing.name(full, "docker.io/library/artifact:1", b"{}", "application/vnd.other+json")
    assert verify(full, jobs=2).findings == ()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda place: place.symlink_to("/etc/passwd"), id="T30-link"),
        pytest.param(os.mkfifo, id="T12-FIFO"),
        pytest.param(lambda place: place.mkdir(), id="T12-folder"),
    ],
)
def test_what_is_no_file_is_a_stray_and_a_missing_blob(
    full: Store, make: Callable[[Path], object]
) -> None:
    path(full, LAYER).unlink()
    make(path(full, LAYER))
    assert [fault for fault, _, _ in found(verify(full, jobs=2))] == [Fault.MISSING, Fault.STRAY]


@pytest.mark.parametrize("name", ["README", "ABCDEF" + "0" * 58, "0" * 63, "\x1b[31m"])
def test_a_file_that_is_not_named_as_a_blob_is_a_stray(full: Store, name: str) -> None:
    (path(full, LAYER).parent / name).touch()
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.STRAY
    assert "\x1b" not in finding.what


def test_T15_a_damaged_index_is_a_finding_and_the_blobs_are_read_all_the_same(full: Store) -> None:
    (full.root / "index.json").write_bytes(b"{")
    spoil(full, LAYER, b"spoiled")
    assert [fault for fault, _, _ in found(verify(full, jobs=2))] == [
        Fault.CORRUPT,
        Fault.MALFORMED,
    ]


def test_a_malformed_entry_of_the_index_is_a_finding(full: Store) -> None:
    document = full.index()
    document["manifests"].append({"digest": "sha256:../../x"})
    (full.root / "index.json").write_bytes(names.dumps(document))
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.MALFORMED
    assert "index.json: manifests[1]" in finding.what


def test_T10_a_blob_that_the_disk_cannot_read_is_corrupt(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pread
    bad = path(full, LAYER).stat().st_ino

    def read(fd: int, length: int, offset: int) -> bytes:
        if os.fstat(fd).st_ino == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, length, offset)

    monkeypatch.setattr(os, "pread", read)
    (finding,) = verify(full, jobs=2).findings
    assert finding.fault is Fault.CORRUPT
    assert "the disk failed" in finding.what


def test_a_blob_that_is_removed_meanwhile_is_not_corrupt(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.announce([Digest.of(LAYER)])
    store.put(Digest.of(LAYER), LAYER)
    real = store.blobs.matches

    def matches(digest: Digest) -> bool:
        store.path(digest).unlink()
        return real(digest)

    monkeypatch.setattr(store.blobs, "matches", matches)
    assert verify(store, jobs=1).findings == ()


def test_what_is_found_good_is_made_durable_before_it_is_struck_off(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    with open_store(root) as store:
        store.announce([Digest.of(LAYER)])
        store.put(Digest.of(LAYER), LAYER)
        monkeypatch.setattr(fs, "sync_file", lambda fd, path: synced.append(path))
        verify(store, jobs=1)
        assert synced[:2] == [path(store, LAYER), path(store, LAYER).parent]
        assert store.ledger.noted() == set()
    with open_store(root, boot=NEXT_BOOT) as store:
        assert not store.ledger.is_doubted(Digest.of(LAYER))


def test_what_is_announced_and_not_here_yet_stays_announced(root: Path) -> None:
    with open_store(root) as store:
        store.announce([Digest.of(LAYER), Digest.of(CONFIG)])
        store.put(Digest.of(CONFIG), CONFIG)
        verify(store, jobs=1)
        assert store.ledger.noted() == {Digest.of(LAYER)}


def test_a_clean_verification_writes_nothing(full: Store) -> None:
    before = {place: place.stat().st_mtime_ns for place in full.root.rglob("*")}
    verify(full, jobs=2)
    assert {place: place.stat().st_mtime_ns for place in full.root.rglob("*")} == before


def test_a_blob_that_this_boot_wrote_and_that_is_corrupt_is_denied(root: Path) -> None:
    """Also where nothing beside it is left to be struck off."""
    with open_store(root) as store:
        store.announce([Digest.of(LAYER)])
        store.put(Digest.of(LAYER), LAYER)
        spoil(store, LAYER, b"x" * len(LAYER))
        verify(store, jobs=1)
        assert not store.has(Digest.of(LAYER), len(LAYER))


def test_what_is_known_to_be_sound_is_not_read_again(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = verify(full, jobs=1)
    monkeypatch.setattr(full.blobs, "matches", lambda digest: False)
    assert verify(full, jobs=1, known=first.sound).findings == ()


def test_an_image_that_is_synced_meanwhile_is_not_incomplete(
    full: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = storing.manifest_of(CONFIG, [b"late"])
    real = full.index

    def index() -> dict[str, Any]:
        monkeypatch.setattr(full, "index", real)
        for data in (b"late", late):
            full.put(Digest.of(data), data)
        storing.name(full, "docker.io/library/late:1", late)
        return real()

    monkeypatch.setattr(full, "index", index)
    assert verify(full, jobs=1).findings == ()


def test_the_names_by_digest_of_an_index_are_no_images_though_it_is_corrupt(store: Store) -> None:
    image = storing.manifest_of(CONFIG, [LAYER])
    index = storing.index_of([image])
    for data in (CONFIG, LAYER, image, index):
        store.put(Digest.of(data), data)
    root = storing.describe(index, mediatypes.OCI_INDEX)
    below = names.member(storing.describe(image, mediatypes.OCI_MANIFEST), root.digest)
    store.name_images(
        [
            NamedDescriptor(name=f"docker.io/library/a@{below.digest}", descriptor=below),
            NamedDescriptor(name="docker.io/library/a:1", descriptor=root),
        ]
    )
    assert verify(store, jobs=1).images == 1
    spoil(store, index, b"x")
    assert verify(store, jobs=1).images == 1
