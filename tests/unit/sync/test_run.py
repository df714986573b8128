"""A whole sync: from a lock, out of a registry in memory, into a real store on disk."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import InputError, IntegrityError, NotFound, PinnerError, Unavailable
from pinner.lockfile import Lock, LockedImage
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, Manifest, parse_manifest
from pinner.oci.memory import MemorySource, MemoryStream
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.progress import BlobPlan, ImagePlan, NullProgress
from pinner.store.ingest import Ingest
from pinner.store.layout import Store
from pinner.sync import OfflineSource, Synced, SyncResult, SyncSource, run_sync, select_images
from pinner.sync.transfer import BlobDone
from support.clock import FakeClock
from support.flaky import FlakySource
from support.images import Image, image, index, layer, push

if TYPE_CHECKING:
    import queue
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pinner.oci.digest import Buffer
    from pinner.store.names import NamedDescriptor
    from pinner.sync.transfer import Event

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")
BASE = layer("base", 200_000)


@pytest.fixture
def registry() -> MemorySource:
    return MemorySource()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def locked(registry: MemorySource, text: str, image_or_index: Image, name: str = "") -> LockedImage:
    """Push an image and lock it as `pinner lock` would."""
    reference = Reference.parse(text)
    raw = push(registry, text, image_or_index)
    parsed = parse_manifest(raw)
    platforms = (
        {member.platform: member.digest for member in parsed.images() if member.platform}
        if isinstance(parsed, Index)
        else {AMD64: raw.digest}
    )
    return LockedImage(
        name=name or reference.path.rsplit("/", 1)[-1],
        repository=reference.repository,
        tag=reference.tag,
        digest=raw.digest,
        platforms=platforms,
    )


def sync(
    store: Store,
    source: SyncSource,
    *images: LockedImage,
    platforms: Sequence[Platform] | None = (AMD64,),
    jobs: int = 4,
    progress: NullProgress | None = None,
    clock: FakeClock | None = None,
) -> SyncResult:
    return run_sync(
        select_images(Lock(images=images), platforms=platforms),
        store,
        lambda: source,
        progress=progress or NullProgress(),
        clock=clock or FakeClock(),
        jobs=jobs,
    )


def errors(result: SyncResult) -> dict[str, PinnerError]:
    return {item.name: item.error for item in result.outcomes if isinstance(item, Failed)}


def names(store: Store) -> dict[str, Digest]:
    """What the store names by tag."""
    return {
        named.name: named.descriptor.digest for named in store.images() if "@" not in named.name
    }


def test_the_store_holds_exactly_the_locked_digests(registry: MemorySource, store: Store) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64", "linux/arm64"))
    result = sync(store, registry, app)
    assert result.complete
    assert names(store) == {"registry.example/app:1": app.digest}
    assert store.has(app.platforms[AMD64])
    assert not store.has(app.platforms[ARM64]), "another platform was not asked for"


def test_the_index_is_kept_byte_for_byte(registry: MemorySource, store: Store) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64", "linux/arm64"))
    sync(store, registry, app)
    assert store.read(app.digest, 10_000) == registry.manifest(app.repository, app.digest).data


def test_all_platforms_can_be_had(registry: MemorySource, store: Store) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64", "linux/arm64"))
    (outcome,) = sync(store, registry, app, platforms=None).outcomes
    assert isinstance(outcome, Synced)
    assert set(outcome.platforms) == {AMD64, ARM64}


def test_a_shared_layer_is_fetched_once(registry: MemorySource, store: Store) -> None:
    apps = [
        locked(
            registry,
            f"registry.example/app{number}:1",
            index(image("linux/amd64", BASE, layer(f"own {number}"))),
        )
        for number in range(5)
    ]
    result = sync(store, registry, *apps)
    assert result.complete
    assert result.fetched.blobs == 11, "five configs, five own layers, one shared layer"
    assert (result.shared.blobs, result.shared.size) == (4, 4 * len(BASE.data))


def test_a_complete_store_asks_nothing(registry: MemorySource, store: Store) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64"))
    sync(store, registry, app)
    registry.counts.clear()
    (outcome,) = sync(store, registry, app).outcomes
    assert isinstance(outcome, Synced)
    assert outcome.complete_before
    assert registry.counts.total() == 0


def test_a_complete_store_does_not_even_open_the_registry(
    registry: MemorySource, store: Store
) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64"))
    sync(store, registry, app)

    def refuse() -> MemorySource:
        raise AssertionError("the registry was opened")

    result = run_sync(
        select_images(Lock(images=(app,)), platforms=[AMD64]),
        store,
        refuse,
        progress=NullProgress(),
        clock=FakeClock(),
        jobs=2,
    )
    assert result.complete


def test_offline_with_something_missing_is_the_answer_no(
    registry: MemorySource, store: Store
) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64"))
    (failed,) = errors(sync(store, OfflineSource(), app)).values()
    assert failed.exit_code == 1


def test_one_bad_image_does_not_stop_the_others(registry: MemorySource, store: Store) -> None:
    good = locked(registry, "registry.example/good:1", index("linux/amd64"))
    gone = LockedImage(
        name="gone",
        repository=Reference.parse("registry.example/gone").repository,
        tag="1",
        digest=Digest.of(b"gone"),
        platforms={AMD64: Digest.of(b"gone")},
    )
    result = sync(store, registry, gone, good)
    assert isinstance(errors(result)["gone"], NotFound)
    assert names(store) == {"registry.example/good:1": good.digest}


def test_B01_a_layer_that_is_always_wrong_fails_its_image_and_is_never_visible(
    registry: MemorySource, store: Store
) -> None:
    bad_layer = layer("bad", 50_000)
    bad = locked(registry, "registry.example/bad:1", index(image("linux/amd64", bad_layer)))
    digest = Digest.of(bad_layer.data)
    source = FlakySource(registry)
    for _ in range(10):
        source.corrupt(digest)
    result = sync(store, source, bad)
    assert isinstance(errors(result)["bad"], IntegrityError)
    assert not store.has(digest)
    assert names(store) == {}


def test_B06_a_layer_that_is_wrong_once_is_fetched_again(
    registry: MemorySource, store: Store
) -> None:
    once = layer("once", 50_000)
    app = locked(registry, "registry.example/app:1", index(image("linux/amd64", once)))
    source = FlakySource(registry)
    source.corrupt(Digest.of(once.data))
    assert sync(store, source, app).complete


def test_H03_a_body_that_breaks_off_is_continued_where_it_stopped(
    registry: MemorySource, store: Store
) -> None:
    large = layer("large", 300_000)
    digest = Digest.of(large.data)
    app = locked(registry, "registry.example/app:1", index(image("linux/amd64", large)))
    source = FlakySource(registry)
    source.cut(digest, at=200_000)
    assert sync(store, source, app).complete
    starts = [opened.start for opened in source.opened if opened.digest == digest]
    assert starts == [0, 200_000]


def test_a_body_that_always_breaks_off_at_once_is_given_up(
    registry: MemorySource, store: Store
) -> None:
    cut = layer("cut", 50_000)
    app = locked(registry, "registry.example/app:1", index(image("linux/amd64", cut)))
    source = FlakySource(registry)
    for _ in range(20):
        source.cut(Digest.of(cut.data), at=10)
    assert isinstance(errors(sync(store, source, app))["app"], Unavailable)


def test_what_arrived_before_a_failure_is_not_fetched_again_by_the_next_run(
    registry: MemorySource, store: Store
) -> None:
    large = layer("large", 300_000)
    digest = Digest.of(large.data)
    app = locked(registry, "registry.example/app:1", index(image("linux/amd64", large)))
    source = FlakySource(registry)
    source.cut(digest, at=250_000)
    for _ in range(20):
        source.cut(digest, at=0)
    sync(store, source, app)
    again = FlakySource(registry)
    result = sync(store, again, app)
    assert result.complete
    assert [opened.start for opened in again.opened if opened.digest == digest] == [250_000]
    assert result.fetched.size == len(large.data) - 250_000


def test_a_blob_is_had_from_another_repository_that_has_it(
    registry: MemorySource, store: Store
) -> None:
    one = locked(registry, "registry.example/one:1", index(image("linux/amd64", BASE)))
    two = locked(
        registry, "registry.example/two:1", index(image("linux/amd64", BASE, layer("two")))
    )
    source = FlakySource(registry)
    source.remove(one.repository, Digest.of(BASE.data))
    assert sync(store, source, one, two).complete


def test_H25_one_layer_of_many_that_fails_costs_the_next_run_one_request(
    registry: MemorySource, store: Store
) -> None:
    layers = [layer(f"layer {number}", 5_000) for number in range(50)]
    app = locked(registry, "registry.example/app:1", index(image("linux/amd64", *layers)))
    source = FlakySource(registry)
    source.remove(app.repository, Digest.of(layers[30].data))
    assert isinstance(errors(sync(store, source, app))["app"], NotFound)
    again = FlakySource(registry)
    assert sync(store, again, app).complete
    assert [opened.digest for opened in again.opened] == [Digest.of(layers[30].data)]


def test_an_index_that_the_registry_dropped_is_a_warning(
    registry: MemorySource, store: Store
) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64"))
    source = FlakySource(registry)
    source.remove(app.repository, app.digest)
    result = sync(store, source, app)
    assert result.complete
    assert "dropped the index" in result.warnings[0]
    assert names(store) == {"registry.example/app:1": app.platforms[AMD64]}


def test_a_manifest_that_is_gone_says_what_its_tag_names_now(
    registry: MemorySource, store: Store
) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64"))
    source = FlakySource(registry)
    source.remove(app.repository, app.digest)
    source.remove(app.repository, app.platforms[AMD64])
    moved = push(registry, "registry.example/app:1", index("linux/amd64", "linux/s390x"))
    result = sync(store, source, app)
    error = errors(result)["app"]
    assert isinstance(error, NotFound)
    assert error.mend[0] == f"its tag 1 now points to {moved.digest}"
    assert not result.warnings, "an index is said to be dropped only where the rest is served"


@pytest.mark.parametrize(
    "swap",
    [
        pytest.param(lambda app: {AMD64: app.platforms[ARM64]}, id="L23 another platform's"),
        pytest.param(lambda _: {AMD64: Digest.of(b"x")}, id="L24 not of this index"),
    ],
)
def test_a_platform_digest_that_is_not_the_indexs_own_is_refused(
    registry: MemorySource,
    store: Store,
    swap: Callable[[LockedImage], dict[Platform, Digest]],
) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64", "linux/arm64"))
    forged = LockedImage(
        name="app",
        repository=app.repository,
        tag=app.tag,
        digest=app.digest,
        platforms=swap(app),
    )
    error = errors(sync(store, registry, forged))["app"]
    assert error.exit_code in {3, 4}
    assert names(store) == {}


def test_a_platform_that_is_not_locked_lists_those_that_are(
    registry: MemorySource, store: Store
) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/arm64", "linux/s390x"))
    error = errors(sync(store, registry, app))["app"]
    assert isinstance(error, InputError)
    assert "linux/arm64, linux/s390x" in str(error)


def test_a_config_that_names_another_platform_is_a_warning(
    registry: MemorySource, store: Store
) -> None:
    lone = image("linux/arm64")
    app = locked(registry, "registry.example/app:1", lone)
    result = sync(store, registry, app)
    assert result.complete
    assert result.warnings == ("app: wanted for linux/amd64, its config says linux/arm64",)


def test_the_total_is_known_before_the_first_byte(registry: MemorySource, store: Store) -> None:
    calls: list[tuple[str, int]] = []

    class Watching(NullProgress):
        def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
            calls.append(("plan", sum(blob.size for blob in blobs)))

        def advance(self, digest: str, count: int) -> None:
            calls.append(("advance", count))

    app = locked(registry, "registry.example/app:1", index(image("linux/amd64", BASE)))
    result = sync(store, registry, app, progress=Watching())
    assert calls[0] == ("plan", result.fetched.size)
    assert sum(count for kind, count in calls if kind == "advance") == result.fetched.size


def test_what_the_store_has_is_read_as_an_oci_layout(registry: MemorySource, store: Store) -> None:
    app = locked(registry, "registry.example/app:1", index("linux/amd64"))
    sync(store, registry, app)
    entries = json.loads((store.root / "index.json").read_text())["manifests"]
    named = {
        entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"]
        for entry in entries
    }
    assert named == {
        "registry.example/app:1": str(app.digest),
        f"registry.example/app@{app.platforms[AMD64]}": str(app.platforms[AMD64]),
    }


@pytest.mark.real_clock
def test_no_more_threads_than_cores_hash_and_write(
    registry: MemorySource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps = [
        locked(registry, f"registry.example/app{n}:1", index(image("linux/amd64", layer(f"{n}"))))
        for n in range(8)
    ]
    writing, most, write = 0, 0, Ingest.write

    def watched(ingest: Ingest, offset: int, data: Buffer) -> None:
        nonlocal writing, most
        writing += 1
        most = max(most, writing)
        time.sleep(0.001)  # long enough for any other thread to come in
        write(ingest, offset, data)
        writing -= 1

    monkeypatch.setattr(Ingest, "write", watched)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert sync(store, registry, *apps, jobs=8).complete
    assert most == 1


class SlowNaming(FakeClock):
    """A clock by which each rewrite of index.json takes a second, and each blob a tenth."""

    def __init__(self, store: Store, registry: MemorySource, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.batches: list[int] = []
        name_images, open_blob = store.name_images, registry.open_blob

        def name_slowly(entries: Sequence[NamedDescriptor]) -> None:
            name_images(entries)
            self.batches.append(len(entries))
            self.sleep(1)

        def open_slowly(*given: Any, **more: Any) -> MemoryStream:
            self.sleep(0.1)
            return open_blob(*given, **more)

        patch.setattr(store, "name_images", name_slowly)
        patch.setattr(registry, "open_blob", open_slowly)


def one_by_one(patch: pytest.MonkeyPatch) -> None:
    """The main thread hears of each blob alone."""

    def arrived(events: queue.SimpleQueue[Event]) -> list[Event]:
        return [events.get()]

    patch.setattr("pinner.sync.download._arrived", arrived)


def many(registry: MemorySource, count: int) -> list[LockedImage]:
    return [
        locked(registry, f"registry.example/app{n}:1", image("linux/amd64", layer(f"own {n}")))
        for n in range(count)
    ]


def test_naming_takes_a_small_part_of_a_run(
    registry: MemorySource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each naming rewrites all of index.json: for many images, once for each would be too often."""
    images = many(registry, 40)
    clock = SlowNaming(store, registry, monkeypatch)
    one_by_one(monkeypatch)
    result = sync(store, registry, *images, clock=clock)
    assert result.complete
    assert sum(clock.batches) == 40
    assert len(clock.batches) == 2, "the first, and what was complete in the end"
    assert names(store).keys() == {f"registry.example/app{n}:1" for n in range(40)}


def test_an_interrupted_run_names_what_is_complete(
    registry: MemorySource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = many(registry, 10)
    clock = SlowNaming(store, registry, monkeypatch)
    told: list[Event] = []

    def arrived(events: queue.SimpleQueue[Event]) -> list[Event]:
        if len(told) == 16:
            raise KeyboardInterrupt
        told.append(events.get())
        return told[-1:]

    monkeypatch.setattr("pinner.sync.download._arrived", arrived)
    with pytest.raises(KeyboardInterrupt):
        sync(store, registry, *images, clock=clock, jobs=1)
    done = {event.digest for event in told if isinstance(event, BlobDone)}
    complete = {
        f"registry.example/{image.name}:1"
        for image in images
        if {blob.digest for blob in _manifest(registry, image).blobs()} <= done
    }
    assert complete
    assert names(store).keys() == complete


def test_what_is_complete_is_named_though_nothing_follows(
    registry: MemorySource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a large blob arrives for minutes, what came before it is not kept back."""
    images = many(registry, 3)
    clock = SlowNaming(store, registry, monkeypatch)
    named: list[int] = []

    def arrived(events: queue.SimpleQueue[Event]) -> list[Event]:
        named.append(len(names(store)))
        if len(named) == 6:
            clock.sleep(60)
            return []
        return [events.get()]

    monkeypatch.setattr("pinner.sync.download._arrived", arrived)
    assert sync(store, registry, *images, clock=clock, jobs=1).complete
    assert named[6] > named[5]


def _manifest(registry: MemorySource, image: LockedImage) -> Manifest:
    parsed = parse_manifest(registry.manifest(image.repository, image.digest))
    assert isinstance(parsed, Manifest)
    return parsed
