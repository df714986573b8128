from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.errors import IntegrityError
from pinner.oci.digest import Digest
from pinner.serve.storecontent import StoreContent
from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor
from support.images import DOCKER, OCI, Image, image, index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME = "registry.example:5000"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", boot_id=lambda: None) as store:
        yield store


@pytest.fixture
def content(store: Store) -> StoreContent:
    return StoreContent(store, home=HOME)


def keep(store: Store, name: str, kept: Image) -> Image:
    for digest, data in kept.everything().items():
        store.put(digest, data)
    store.name_images([NamedDescriptor(name=name, descriptor=kept.descriptor)])
    return kept


def damage(store: Store, digest: Digest) -> None:
    path = store.path(digest)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_names_of_the_home_registry_are_repositories(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/team/app:stable", index("linux/amd64", "linux/arm64"))
    assert content.tags("team/app") == ("stable",)
    assert content.manifest("team/app", "stable") == kept.manifest


def test_names_of_other_registries_are_not_served(store: Store, content: StoreContent) -> None:
    keep(store, "other.example/team/app:stable", image())
    keep(store, "not a reference", image())
    assert content.tags("team/app") is None
    assert content.manifest("team/app", "stable") is None


def test_docker_io_serves_official_images_by_both_names(store: Store) -> None:
    kept = keep(store, "docker.io/library/debian:bookworm", image())
    content = StoreContent(store, home="docker.io")
    assert content.manifest("library/debian", "bookworm") == kept.manifest
    assert content.manifest("debian", "bookworm") == kept.manifest


def test_a_name_by_digest_is_a_repository_without_tags(store: Store, content: StoreContent) -> None:
    kept = image()
    keep(store, f"{HOME}/app@{kept.digest}", kept)
    assert content.tags("app") == ()
    assert content.manifest("app", kept.digest) == kept.manifest


def test_W06_platform_manifests_have_the_type_that_they_say(
    store: Store, content: StoreContent
) -> None:
    for flavour, name in ((OCI, "oci"), (DOCKER, "docker")):
        kept = index("linux/amd64", flavour=flavour)
        keep(store, f"{HOME}/{name}:x", kept)
        (child,) = kept.images
        assert content.manifest(name, child.digest) == child.manifest


def test_W06_a_manifest_without_a_type_is_ocis(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    data = b'{"schemaVersion":2,"config":{},"layers":[]}'
    store.put(Digest.of(data), data)
    found = content.manifest("app", Digest.of(data))
    assert found is not None
    assert found.media_type == "application/vnd.oci.image.manifest.v1+json"


def test_W06_a_config_or_layer_is_no_manifest(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    for digest in kept.blobs:
        assert content.manifest("app", digest) is None


def test_W06_an_unknown_type_is_not_served(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    data = b'{"schemaVersion":2,"mediaType":"text/html","layers":[]}'
    store.put(Digest.of(data), data)
    assert content.manifest("app", Digest.of(data)) is None


def test_a_blob_is_served_from_its_file(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    for digest, data in kept.blobs.items():
        blob = content.blob("app", digest)
        assert blob is not None
        assert (blob.path.read_bytes(), blob.size) == (data, len(data))


def test_a_blob_needs_a_repository_that_is_there(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    assert content.blob("other", next(iter(kept.blobs))) is None


def test_what_the_store_lacks_is_not_there(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    missing = Digest.of(b"missing")
    assert content.blob("app", missing) is None
    assert content.manifest("app", missing) is None
    assert content.manifest("app", "missing") is None


def test_a_tag_that_moves_is_served_anew(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image("linux/amd64"))
    moved = keep(store, f"{HOME}/app:x", image("linux/arm64"))
    assert content.manifest("app", "x") == moved.manifest
    assert content.tags("app") == ("x",)


def test_W10_an_image_appears_when_it_is_named(store: Store, content: StoreContent) -> None:
    synced = image()
    for digest, data in synced.everything().items():
        store.put(digest, data)
        assert content.tags("app") is None
        assert content.manifest("app", "x") is None
    keep(store, f"{HOME}/app:x", synced)
    assert content.manifest("app", "x") == synced.manifest


def test_W05_a_corrupt_blob_is_never_served(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    digest = next(iter(kept.blobs))
    damage(store, digest)
    with pytest.raises(IntegrityError, match="corrupt"):
        content.blob("app", digest)


def test_W05_a_blob_that_is_damaged_later_is_noticed(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    digest = next(iter(kept.blobs))
    assert content.blob("app", digest) is not None
    damage(store, digest)
    with pytest.raises(IntegrityError, match="corrupt"):
        content.blob("app", digest)


def test_W05_a_corrupt_manifest_is_never_served(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    damage(store, kept.digest)
    with pytest.raises(IntegrityError):
        content.manifest("app", "x")


def test_a_blob_is_hashed_once(
    store: Store, content: StoreContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    digest = next(iter(kept.blobs))
    hashed: list[Digest] = []
    matches = store.blobs.matches

    def counted(one: Digest) -> bool:
        hashed.append(one)
        return matches(one)

    monkeypatch.setattr(store.blobs, "matches", counted)
    for _ in range(3):
        assert content.blob("app", digest) is not None
    assert hashed == [digest]
