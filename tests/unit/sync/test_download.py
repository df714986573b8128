"""Downloads by a pool of workers, and what the caller hears of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pinner.errors import StoreError, Unavailable
from pinner.oci.memory import MemorySource, MemoryStream
from pinner.oci.reference import Repository
from pinner.progress import NullProgress
from pinner.store.layout import Store
from pinner.store.partial import Partial
from pinner.sync.board import Board
from pinner.sync.download import fetch_blobs
from pinner.sync.plan import BlobNeed
from pinner.sync.transfer import BlobDone, RunFailed
from support.clock import FakeClock
from support.storing import describe, noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pinner.oci.descriptor import Descriptor
    from pinner.store.ingest import Ingest
    from pinner.sync.transfer import Event

APP = Repository.parse("registry.example/app")
BLOBS = [noise(seed, 2_000) for seed in range(3)]
DIGESTS = [describe(data).digest for data in BLOBS]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def registry() -> MemorySource:
    source = MemorySource()
    for data in BLOBS:
        source.push_blob(APP, data)
    return source


def fetch(store: Store, source: MemorySource, handle: Callable[[Sequence[Event]], None]) -> None:
    needs = [
        BlobNeed(descriptor=describe(data), repositories=(APP,), images=("app",)) for data in BLOBS
    ]
    fetch_blobs(
        needs,
        store,
        source,
        progress=NullProgress(),
        clock=FakeClock(),
        jobs=1,
        handle=handle,
    )


def test_each_blob_is_told_once(store: Store, registry: MemorySource) -> None:
    events: list[Event] = []
    fetch(store, registry, events.extend)
    assert events == [BlobDone(digest=digest, fetched=2_000) for digest in DIGESTS]
    assert all(map(store.has, DIGESTS))


def test_what_was_done_before_the_store_failed_is_told(
    store: Store, registry: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that are complete get their names, whatever happens to the others."""
    begin = store.begin

    def full(digest: Any, size: int) -> Ingest:
        if digest == DIGESTS[1]:
            raise StoreError("the disk is full")
        return begin(digest, size)

    def at_once(target: Callable[[], None], name: str) -> threading.Thread:
        target()  # so that all events are there when the first is looked for
        thread = threading.Thread(name=name)
        thread.start()
        return thread

    monkeypatch.setattr(store, "begin", full)
    monkeypatch.setattr("pinner.sync.download.start_daemon", at_once)
    events: list[Event] = []
    with pytest.raises(StoreError, match="disk is full"):
        fetch(store, registry, events.extend)
    assert events[0] == BlobDone(digest=DIGESTS[0], fetched=2_000)
    assert isinstance(events[1], RunFailed)


def test_T04_a_disk_that_refuses_frees_every_blob_under_way(
    store: Store, registry: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock is held on, and no partial stands in the way of the next run."""

    def refuse(partial: Partial, offset: int, data: bytes) -> NoReturn:
        raise StoreError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(Partial, "write", refuse)
        with pytest.raises(StoreError, match="no space left"):
            fetch(store, registry, lambda events: None)
    assert list((store.root / "ingest").iterdir()) == []
    for data in BLOBS:
        store.begin(describe(data).digest, len(data)).close()


def test_workers_stop_where_the_caller_fails(
    store: Store, registry: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    stop, open_blob = Board.stop, registry.open_blob

    def stop_and_tell(board: Board) -> None:
        stop(board)
        stopped.set()

    def wait(repository: Repository, descriptor: Any, **settings: Any) -> Any:
        if descriptor.digest == DIGESTS[1]:
            stopped.wait(60)
        return open_blob(repository, descriptor, **settings)

    def interrupt(events: Sequence[Event]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Board, "stop", stop_and_tell)
    monkeypatch.setattr(registry, "open_blob", wait)
    with pytest.raises(KeyboardInterrupt):
        fetch(store, registry, interrupt)
    assert stopped.is_set()
    assert registry.counts["blob"] <= 2, "the third was not begun"


class SilentStream(MemoryStream):
    """Sends a part, then nothing, until it is cut."""

    def __init__(self, data: bytes, *, taken: threading.Event, cut: threading.Event) -> None:
        super().__init__(data, 0, len(data), ranged=False)
        self.taken = taken
        self.cut = cut

    def chunks(self) -> Iterator[memoryview]:
        """The first 1,500 bytes."""
        yield next(super().chunks())[:1_500]
        self.taken.set()
        assert self.cut.wait(60)
        raise Unavailable("cut")


@pytest.fixture
def interrupt(
    registry: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Sequence[Event]], None]:
    """Interrupts a download of which 1,500 bytes came, and whose registry is silent now."""
    taken, cut = threading.Event(), threading.Event()

    def open_blob(_repository: Repository, descriptor: Descriptor, **_: Any) -> MemoryStream:
        (data,) = (data for data in BLOBS if describe(data) == descriptor)
        return SilentStream(data, taken=taken, cut=cut)

    def interrupt(_events: Sequence[Event]) -> None:
        assert taken.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "open_blob", open_blob)
    monkeypatch.setattr(registry, "abort", cut.set)
    return interrupt


def test_H27_who_waits_for_bytes_is_cut_short_and_journals_what_it_has(
    store: Store, registry: MemorySource, interrupt: Callable[[Sequence[Event]], None]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fetch(store, registry, interrupt)
    with store.begin(DIGESTS[0], 2_000) as ingest:
        assert ingest.missing() == ((1_500, 2_000),)


def test_H27_a_second_interrupt_loses_nothing_that_came(
    store: Store,
    registry: MemorySource,
    interrupt: Callable[[Sequence[Event]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(workers: Sequence[threading.Thread], _: Any) -> NoReturn:
        for worker in workers:
            worker.join(60)
        raise KeyboardInterrupt

    monkeypatch.setattr("pinner.sync.download._leave", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(store, registry, interrupt)
    with store.begin(DIGESTS[0], 2_000) as ingest:
        assert ingest.missing() == ((1_500, 2_000),)
