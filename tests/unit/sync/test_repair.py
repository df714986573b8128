"""`verify --repair`: every way to break every blob of a small store, found and healed."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest

from pinner.errors import AnswerNo, IntegrityError, NotFound, StoreError
from pinner.lockfile import Lock, LockedImage
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, parse_manifest
from pinner.oci.memory import MemorySource
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.progress import NullProgress
from pinner.store.layout import Store
from pinner.store.naming import tag, untag
from pinner.store.verify import Fault, verify
from pinner.sync import run_sync, select_images
from pinner.sync.repair import run_repair
from support.clock import FakeClock
from support.images import image, index, layer, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.sync.repair import Repair

AMD64 = Platform.parse("linux/amd64")
BASE = layer("base", 500)
TEXT = "registry.example/app:1"


@pytest.fixture(scope="module")
def registry() -> MemorySource:
    source = MemorySource()
    push(source, TEXT, index(image("linux/amd64", BASE, layer("own", 300))))
    push(source, "registry.example/other:1", image("linux/amd64", BASE))
    return source


def locked(registry: MemorySource, text: str) -> LockedImage:
    raw = registry.resolve(Reference.parse(text))
    parsed = parse_manifest(raw)
    manifest = parsed.images()[0].digest if isinstance(parsed, Index) else raw.digest
    reference = Reference.parse(text)
    return LockedImage(
        name=reference.path,
        repository=reference.repository,
        tag=reference.tag,
        digest=raw.digest,
        platforms={AMD64: manifest},
    )


@pytest.fixture(scope="module")
def whole(registry: MemorySource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with everything, not to be changed."""
    root = tmp_path_factory.mktemp("whole") / "store"
    images = tuple(locked(registry, text) for text in (TEXT, "registry.example/other:1"))
    with Store.open(root) as store:
        result = run_sync(
            select_images(Lock(images=images), platforms=(AMD64,)),
            store,
            lambda: registry,
            progress=NullProgress(),
            clock=FakeClock(),
            jobs=2,
        )
        assert result.complete
    return root


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(whole, tmp_path / "store")
    with Store.open(tmp_path / "store") as opened:
        yield opened


def files(store: Store) -> list[Path]:
    return sorted((store.root / "blobs/sha256").iterdir())


def repair(store: Store, source: MemorySource) -> Repair:
    return run_repair(
        store,
        lambda: source,
        progress=NullProgress(),
        clock=FakeClock(),
        jobs=2,
        hash_jobs=1,
    )


def flip(path: Path, position: float) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    place = min(int(position * len(data)), len(data) - 1)
    data[place] ^= 1 << (place % 8)
    path.write_bytes(data)


def cut(path: Path, position: float) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: int(position * path.stat().st_size)])


def grow(path: Path, position: float) -> None:
    path.chmod(0o644)
    data = path.read_bytes()
    place = int(position * len(data))
    path.write_bytes(data[:place] + b"\0" + data[place:])


def remove(path: Path, position: float) -> None:
    path.unlink()


def replace(path: Path, position: float) -> None:
    path.unlink()
    path.symlink_to("/dev/null" if position else "nowhere")


@pytest.mark.parametrize("position", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("damage", [flip, cut, grow, remove])
def test_every_blob_is_healed(
    store: Store, registry: MemorySource, whole: Path, damage: object, position: float
) -> None:
    assert callable(damage)
    for path in files(store):
        good = (whole / "blobs/sha256" / path.name).read_bytes()
        damage(path, position)
        findings = verify(store, jobs=1).findings
        # An index whose only manifest is gone is told as well.
        assert path.name in {one.digest.hex for one in findings if one.digest}
        done = repair(store, registry)
        assert [one.descriptor.digest.hex for one in done.mended] == [path.name]
        assert done.failed == ()
        assert done.report.findings == ()
        assert path.read_bytes() == good


def test_everything_is_healed_at_once(store: Store, registry: MemorySource, whole: Path) -> None:
    """Manifests hide what is broken below them until they are mended."""
    damages = itertools.cycle((flip, cut, remove))
    for path, damage in zip(files(store), damages, strict=False):
        damage(path, 0.5)
    done = repair(store, registry)
    assert done.report.findings == ()
    assert len(done.mended) == len(files(store)) == len(list((whole / "blobs/sha256").iterdir()))


def test_every_blob_flipped_is_noted_and_healed(store: Store, registry: MemorySource) -> None:
    for path in files(store):
        flip(path, 0.5)
    assert len(repair(store, registry).mended) == len(files(store))


def test_a_sound_store_asks_nothing_and_writes_nothing(
    store: Store, registry: MemorySource
) -> None:
    repair(store, registry)  # strikes off what this boot noted
    before = {path: path.lstat().st_mtime_ns for path in store.root.rglob("*")}
    registry.counts.clear()
    done = repair(store, registry)
    assert (done.mended, done.failed, done.report.findings) == ((), (), ())
    assert registry.counts == {}
    assert {path: path.lstat().st_mtime_ns for path in store.root.rglob("*")} == before


def blob_of(store: Store, data: bytes) -> Path:
    return store.path(Digest.of(data))


def test_a_shared_blob_is_had_from_whoever_has_it(store: Store) -> None:
    only_other = MemorySource()
    push(only_other, "registry.example/other:1", image("linux/amd64", BASE))
    flip(blob_of(store, BASE.data), 0.5)
    assert len(repair(store, only_other).mended) == 1


def test_a_manifest_is_had_from_whoever_has_it(store: Store, registry: MemorySource) -> None:
    tag(store, TEXT, Reference.parse("nowhere.example/app:1"))
    named = store.images()
    untag(store, [one.name for one in named])
    store.name_images(named[::-1])
    assert "nowhere.example" in store.images()[0].name
    for path in files(store):
        flip(path, 0.5)
    assert repair(store, registry).failed == ()


def test_what_the_registry_lost_keeps_its_place(store: Store) -> None:
    path = blob_of(store, BASE.data)
    flip(path, 0.5)
    spoilt = path.read_bytes()
    done = repair(store, MemorySource())
    (failed,) = done.failed
    assert isinstance(failed.error, NotFound)
    assert set(failed.broken.images) >= {TEXT, "registry.example/other:1"}
    assert path.read_bytes() == spoilt
    assert {one.fault for one in done.report.findings} == {Fault.CORRUPT}


def test_one_that_fails_does_not_stop_the_others(store: Store, registry: MemorySource) -> None:
    poor = MemorySource()
    push(poor, "registry.example/other:1", image("linux/amd64", BASE))
    for path in files(store):
        flip(path, 0.5)
    done = repair(store, poor)
    assert done.mended
    assert done.failed
    assert {one.digest for one in done.report.findings} >= {
        one.broken.descriptor.digest for one in done.failed
    }


class LyingSource(MemorySource):
    """Sends other bytes than a blob's digest names."""

    def push_blob(self, repository: object, data: bytes, **options: object) -> Digest:
        digest = Digest.of(data)
        self._blobs[repository, digest] = data[::-1], None  # type: ignore[index]
        return digest


def test_a_lying_registry_is_no_cure(store: Store) -> None:
    liar = LyingSource()
    push(liar, TEXT, index(image("linux/amd64", BASE, layer("own", 300))))
    push(liar, "registry.example/other:1", image("linux/amd64", BASE))
    flip(blob_of(store, BASE.data), 0.5)
    (failed,) = repair(store, liar).failed
    assert isinstance(failed.error, IntegrityError)


def test_a_name_that_is_no_reference_says_nothing_of_a_registry(
    store: Store, registry: MemorySource
) -> None:
    entry = next(one for one in store.images() if one.name == "registry.example/other:1")
    untag(store, [one.name for one in store.images()])
    store.name_images([type(entry)(name="Foreign name", descriptor=entry.descriptor)])
    flip(blob_of(store, BASE.data), 0.5)
    (failed,) = repair(store, registry).failed
    assert isinstance(failed.error, AnswerNo)


def test_what_no_name_needs_is_left(store: Store, registry: MemorySource) -> None:
    untag(store, [TEXT])
    own = blob_of(store, layer("own", 300).data)
    flip(own, 0.5)
    done = repair(store, registry)
    assert (done.mended, done.failed) == ((), ())
    (finding,) = done.report.findings
    assert finding.images == ()


@pytest.mark.parametrize("position", [0.0, 1.0], ids=["dangling", "device"])
def test_T12_what_is_no_file_is_for_a_person(
    store: Store, registry: MemorySource, position: float
) -> None:
    replace(blob_of(store, BASE.data), position)
    done = repair(store, registry)
    assert (done.mended, done.failed) == ((), ())
    assert {one.fault for one in done.report.findings} == {Fault.STRAY, Fault.MISSING}


def test_a_store_that_takes_nothing_is_an_error(
    store: Store, registry: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(blob_of(store, BASE.data), 0.5)

    def refuse(*_: object) -> None:
        raise StoreError("cannot be written: the file system is read-only")

    monkeypatch.setattr(store.ledger, "settle_verified", refuse)
    with pytest.raises(StoreError, match="read-only"):
        repair(store, registry)


def test_a_damaged_index_file_is_told(store: Store, registry: MemorySource) -> None:
    (store.root / "index.json").write_bytes(b"")
    flip(blob_of(store, BASE.data), 0.5)
    done = repair(store, registry)
    assert done.mended == ()
    assert Fault.MALFORMED in {one.fault for one in done.report.findings}
