"""A sync beside `prune`: what it needs stays, and one with nothing to do leaves no trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pinner.lockfile import Lock, LockedImage
from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, parse_manifest
from pinner.oci.memory import MemorySource
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.progress import NullProgress
from pinner.store.layout import Store
from pinner.store.prune import PruneWish, prune
from pinner.store.verify import verify
from pinner.sync import SyncResult, run_sync, select_images
from support.clock import FakeClock
from support.images import image, index, layer, push

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pinner.oci.memory import MemoryStream
    from pinner.oci.reference import Repository
    from pinner.oci.sources import RawManifest
    from pinner.store.names import NamedDescriptor

AMD64 = Platform.parse("linux/amd64")
BASE, OWN = layer("base", 50_000), layer("own")
ALL = PruneWish(partials_older_than=0)
TEXT = "registry.example/app:1"


class PruningSource(MemorySource):
    """A registry that prunes the store, as another process, whenever it is asked."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        self.prune()
        return super().manifest(repository, digest)

    def open_blob(self, *args: Any, **options: Any) -> MemoryStream:
        self.prune()
        return super().open_blob(*args, **options)

    def prune(self) -> None:
        with Store.open(self.root, create=False) as store:
            prune(store, ALL, now=2.0**40)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def registry(store: Store) -> PruningSource:
    return PruningSource(store.root)


@pytest.fixture
def app(registry: PruningSource) -> LockedImage:
    raw = push(registry, TEXT, index(image("linux/amd64", BASE, OWN), image("linux/arm64", BASE)))
    parsed = parse_manifest(raw)
    assert isinstance(parsed, Index)
    return LockedImage(
        name="app",
        repository=Reference.parse(TEXT).repository,
        tag="1",
        digest=raw.digest,
        platforms={one.platform: one.digest for one in parsed.images() if one.platform},
    )


def sync(store: Store, source: MemorySource, app: LockedImage) -> SyncResult:
    return run_sync(
        select_images(Lock(images=(app,)), platforms=(AMD64,)),
        store,
        lambda: source,
        progress=NullProgress(),
        clock=FakeClock(),
        jobs=2,
    )


def traces(store: Store) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in store.root.rglob("*")}


def test_T19_a_prune_at_every_request_takes_nothing(
    store: Store, registry: PruningSource, app: LockedImage
) -> None:
    assert sync(store, registry, app).complete
    assert verify(store, jobs=1).findings == ()
    assert registry.counts == {"manifest": 2, "blob": 3}, "nothing had to be fetched twice"


def test_T19_a_blob_that_was_here_and_had_no_name_is_kept(
    store: Store, registry: PruningSource, app: LockedImage
) -> None:
    store.put(Digest.of(BASE.data), BASE.data)
    store.put(Digest.of(OWN.data), OWN.data)
    # What is looked at before the first request: the lease is younger than the blobs.
    for raw in (app.digest, app.platforms[AMD64]):
        store.put(raw, MemorySource.manifest(registry, app.repository, raw).data)
    registry.counts.clear()
    assert sync(store, registry, app).complete
    assert verify(store, jobs=1).findings == ()
    assert registry.counts == {"blob": 1}, "only the config was missing"


def test_nothing_is_left_of_the_lease(
    store: Store, registry: PruningSource, app: LockedImage
) -> None:
    sync(store, registry, app)
    assert list((store.root / ".pinner/leases").iterdir()) == []
    registry.prune()
    assert verify(store, jobs=1).findings == ()


def test_a_complete_sync_writes_nothing_and_takes_no_lock(
    store: Store, registry: PruningSource, app: LockedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(store, registry, app)
    before = traces(store)

    def fail(*_: object) -> None:
        raise AssertionError("it takes a lock")

    monkeypatch.setattr("fcntl.flock", fail)
    assert sync(store, registry, app).complete
    assert traces(store) == before


def test_a_name_by_digest_that_only_an_index_brought_is_given_in_its_own_right(
    store: Store, registry: PruningSource, app: LockedImage
) -> None:
    sync(store, registry, app)
    manifest = app.platforms[AMD64]
    lone = LockedImage(
        name="lone",
        repository=app.repository,
        tag=None,
        digest=manifest,
        platforms={AMD64: manifest},
    )
    sync(store, registry, lone)
    (found,) = (one for one in store.images() if one.name == f"{app.repository}@{manifest}")
    assert not found.is_member


def test_platforms_of_a_dropped_index_are_named_each(
    store: Store, registry: PruningSource, app: LockedImage
) -> None:
    registry.forget(app.repository, app.digest)
    wanted = select_images(Lock(images=(app,)), platforms=None)
    result = run_sync(
        wanted,
        store,
        lambda: registry,
        progress=NullProgress(),
        clock=FakeClock(),
        jobs=2,
    )
    assert result.complete
    registry.prune()
    assert all(map(store.has, app.platforms.values()))


def test_T19_blobs_that_wait_for_their_name_alone_are_kept(
    store: Store, registry: PruningSource, app: LockedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(store, registry, app)
    (store.root / "index.json").unlink()
    real = store.name_images

    def name(entries: Sequence[NamedDescriptor]) -> None:
        registry.prune()
        real(entries)

    monkeypatch.setattr(store, "name_images", name)
    assert sync(store, registry, app).complete
    assert verify(store, jobs=1).findings == ()


def test_T19_a_nested_index_is_kept(store: Store, registry: PruningSource) -> None:
    inner = index(image("linux/amd64", BASE))
    outer = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": mediatypes.OCI_INDEX,
            "manifests": [
                {
                    "mediaType": raw.media_type,
                    "digest": str(raw.digest),
                    "size": len(raw.data),
                }
                for raw in (push(registry, TEXT, inner),)
            ],
        }
    ).encode()
    raw = registry.push(Reference.parse(TEXT), outer, media_type=mediatypes.OCI_INDEX)
    nested = registry.manifest(Reference.parse(TEXT).repository, push(registry, TEXT, inner).digest)
    parsed = parse_manifest(nested)
    assert isinstance(parsed, Index)
    (member,) = parsed.images()
    app = LockedImage(
        name="app",
        repository=Reference.parse(TEXT).repository,
        tag="1",
        digest=raw.digest,
        platforms={AMD64: member.digest},
    )
    assert sync(store, registry, app).complete
    registry.prune()
    assert store.has(nested.digest)
