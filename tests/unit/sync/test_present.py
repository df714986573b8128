"""When a sync has nothing to do, and what it then tells."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import StoreError
from pinner.lockfile import Lock, LockedImage
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, parse_manifest
from pinner.oci.memory import MemorySource
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.progress import NullProgress
from pinner.store.layout import Store
from pinner.store.names import MEMBER_OF, REF_NAME
from pinner.sync import Synced, Wanted, run_sync, select_images
from pinner.sync.present import find_present
from support.clock import FakeClock
from support.images import image, index, layer, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.outcome import Failed

AMD64 = Platform.parse("linux/amd64")
LAYER = layer("a layer", 2_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def app(store: Store) -> LockedImage:
    """An image that was synced."""
    registry = MemorySource()
    made = index(image("linux/amd64", LAYER), image("linux/arm64"))
    raw = push(registry, "registry.example/app:1", made)
    parsed = parse_manifest(raw)
    assert isinstance(parsed, Index)
    locked = LockedImage(
        name="app",
        repository=Reference.parse("registry.example/app").repository,
        tag="1",
        digest=raw.digest,
        platforms={one.platform: one.digest for one in parsed.images() if one.platform},
    )
    result = run_sync(
        wanted(locked),
        store,
        lambda: registry,
        progress=NullProgress(),
        clock=FakeClock(),
        jobs=2,
    )
    assert result.complete
    return locked


def wanted(*images: LockedImage) -> list[Wanted | Failed]:
    return list(select_images(Lock(images=images), platforms=[AMD64]))


def is_present(store: Store, *images: LockedImage) -> bool:
    chosen = [item for item in wanted(*images) if isinstance(item, Wanted)]
    return find_present(chosen, store, pytest.fail) is not None


def entries(store: Store) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((store.root / "index.json").read_bytes())["manifests"]
    return found


def write_entries(store: Store, manifests: list[dict[str, Any]]) -> None:
    document = {"schemaVersion": 2, "manifests": manifests}
    (store.root / "index.json").write_text(json.dumps(document))


def test_what_is_told_is_what_the_images_consist_of(store: Store, app: LockedImage) -> None:
    (item,) = wanted(app)
    assert isinstance(item, Wanted)
    found = find_present([item], store, pytest.fail)
    assert found is not None
    config = next(size for size in sizes(store) if size != len(LAYER.data))
    assert found.outcomes == (
        Synced(
            name="app",
            reference="registry.example/app:1",
            digest=app.digest,
            platforms=(AMD64,),
            size=len(LAYER.data) + config,
            complete_before=True,
        ),
    )
    assert (found.shared.blobs, found.shared.size) == (2, len(LAYER.data) + config)


def sizes(store: Store) -> list[int]:
    """The sizes of the blobs that are no index or manifest."""
    return [
        path.stat().st_size
        for path in (store.root / "blobs/sha256").iterdir()
        if b"schemaVersion" not in path.read_bytes()
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_blob_that_is_gone_is_to_be_fetched(store: Store, app: LockedImage, number: int) -> None:
    blobs = sorted((store.root / "blobs/sha256").iterdir())
    assert len(blobs) == 4, "index, manifest, config and layer"
    blobs[number].unlink()
    assert not is_present(store, app)


def test_a_blob_of_another_size_is_to_be_fetched(store: Store, app: LockedImage) -> None:
    path = store.path(Digest.of(LAYER.data))
    path.unlink()
    path.write_bytes(LAYER.data[:-1])
    assert not is_present(store, app)


@pytest.mark.parametrize("which", ["manifest", "layer"])
def test_T12_a_link_with_a_blobs_name_is_an_error_at_once(
    store: Store, app: LockedImage, which: str
) -> None:
    digest = app.platforms[AMD64] if which == "manifest" else Digest.of(LAYER.data)
    store.path(digest).unlink()
    store.path(digest).symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="is not a regular file"):
        is_present(store, app)


@pytest.mark.parametrize("number", [0, 1])
def test_a_name_that_is_gone_is_to_be_given(store: Store, app: LockedImage, number: int) -> None:
    named = entries(store)
    assert len(named) == 2, "the tag and the member"
    write_entries(store, named[:number] + named[number + 1 :])
    assert not is_present(store, app)


@pytest.mark.parametrize(("order", "stands"), [((0, 1), False), ((1, 0), True)])
def test_of_two_entries_with_one_name_the_last_counts(
    store: Store, app: LockedImage, order: tuple[int, int], *, stands: bool
) -> None:
    named = entries(store)
    tag = next(one for one in named if one["annotations"][REF_NAME].endswith(":1"))
    other = {**tag, "digest": str(Digest.of(LAYER.data))}
    pair = [tag, other]
    others = [one for one in named if one is not tag]
    write_entries(store, [*others, *(pair[at] for at in order)])
    assert is_present(store, app) == stands


def test_a_member_is_no_name_that_somebody_asked_for(store: Store, app: LockedImage) -> None:
    alone = replace(app, tag=None, digest=app.platforms[AMD64])
    assert not is_present(store, alone)
    unmarked = entries(store)
    for entry in unmarked:
        entry["annotations"].pop(MEMBER_OF, None)
    write_entries(store, unmarked)
    assert is_present(store, alone)
    assert is_present(store, app), "in its own right it serves the index as well"


def test_one_name_cannot_stand_for_two_images(store: Store, app: LockedImage) -> None:
    alone = replace(app, name="other", digest=app.platforms[AMD64])
    unmarked = entries(store)
    for entry in unmarked:
        entry["annotations"].pop(MEMBER_OF, None)
    write_entries(store, unmarked)
    assert is_present(store, app)
    assert not is_present(store, app, alone)
