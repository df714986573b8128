"""Blobs for a comparison: each once, from whoever has it, without a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.compare.fetching import Fetcher, Want
from pinner.errors import NotFound
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Repository
from pinner.progress import BlobPlan, ImagePlan, NullProgress
from pinner.store.layout import Store
from pinner.store.prune import PruneWish, prune
from support.clock import FakeClock
from support.storing import describe, noise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP, WEB = Repository.parse("registry.example/app"), Repository.parse("registry.example/web")
SMALL, LARGE = noise(1, 1_000), noise(2, 9_000)


class Listener(NullProgress):
    """Writes down what it hears of plans and of images."""

    def __init__(self) -> None:
        self.plans: list[tuple[tuple[ImagePlan, ...], tuple[BlobPlan, ...]]] = []
        self.ended: list[tuple[str, str]] = []

    def plan(self, images: tuple[ImagePlan, ...], blobs: tuple[BlobPlan, ...]) -> None:
        self.plans.append((images, blobs))

    def image_done(self, name: str) -> None:
        self.ended.append((name, "done"))

    def image_failed(self, name: str) -> None:
        self.ended.append((name, "failed"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def fetcher(store: Store, registry: MemorySource, listener: Listener) -> Fetcher:
    return Fetcher(
        store=store,
        lease=store.lease(),
        open_source=lambda: registry,
        progress=listener,
        clock=FakeClock(),
        jobs=2,
    )


def want(name: str, repository: Repository, data: bytes) -> Want:
    return Want(name=name, repository=repository, descriptor=describe(data))


def test_a_blob_of_several_images_is_fetched_once(store: Store) -> None:
    registry, listener = MemorySource(), Listener()
    for data in (SMALL, LARGE):
        registry.push_blob(APP, data)
    wants = [want("app", APP, SMALL), want("app", APP, LARGE), want("twin", APP, LARGE)]
    assert fetcher(store, registry, listener).fetch(wants) == {}
    assert registry.counts == {"blob": 2}
    assert all(store.has(describe(data).digest, len(data)) for data in (SMALL, LARGE))
    ((images, blobs),) = listener.plans
    assert [blob.size for blob in blobs] == [9_000, 1_000], "the largest first"
    assert {image.name: image.size for image in images} == {"app": 10_000, "twin": 9_000}
    assert sorted(listener.ended) == [("app", "done"), ("twin", "done")]


def test_another_repository_may_have_it(store: Store) -> None:
    registry = MemorySource()
    registry.push_blob(WEB, SMALL)
    wants = [want("app", APP, SMALL), want("web", WEB, SMALL)]
    assert fetcher(store, registry, Listener()).fetch(wants) == {}
    assert store.has(describe(SMALL).digest)


def test_what_nobody_has_is_told_and_the_rest_is_fetched(store: Store) -> None:
    registry, listener = MemorySource(), Listener()
    registry.push_blob(APP, SMALL)
    wants = [want("app", APP, SMALL), want("web", WEB, LARGE)]
    failed = fetcher(store, registry, listener).fetch(wants)
    assert list(failed) == [describe(LARGE).digest]
    assert isinstance(failed[describe(LARGE).digest], NotFound)
    assert store.has(describe(SMALL).digest)
    assert sorted(listener.ended) == [("app", "done"), ("web", "failed")]


def test_what_the_store_has_is_not_asked_for(store: Store) -> None:
    registry, listener = MemorySource(), Listener()
    store.put(describe(SMALL).digest, SMALL)
    assert fetcher(store, registry, listener).fetch([want("app", APP, SMALL)]) == {}
    assert registry.counts == {}
    assert listener.plans == []


def test_T19_what_a_comparison_needs_is_not_pruned_before_it_was_read(store: Store) -> None:
    registry = MemorySource()
    registry.push_blob(APP, LARGE)
    store.put(describe(SMALL).digest, SMALL)
    wish = PruneWish(partials_older_than=0)
    with store.lease() as lease:
        fetcher = Fetcher(
            store=store,
            lease=lease,
            open_source=lambda: registry,
            progress=Listener(),
            clock=FakeClock(),
            jobs=2,
        )
        assert fetcher.fetch([want("app", APP, SMALL), want("app", APP, LARGE)]) == {}
        assert prune(store, wish, now=2.0**40).blobs == ()
    assert len(prune(store, wish, now=2.0**40).blobs) == 2
