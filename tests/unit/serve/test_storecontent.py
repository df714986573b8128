from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import IntegrityError
from pinner.oci.digest import Digest
from pinner.serve.names import Name
from pinner.serve.storecontent import StoreContent
from pinner.store.layout import Store
from pinner.store.names import NamedDescriptor
from support.images import DOCKER, OCI, Image, image, index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"
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
    assert content.tags(Name("team/app")) == ("stable",)
    assert content.manifest(Name("team/app"), "stable") == kept.manifest


def test_names_of_other_registries_are_not_served(store: Store, content: StoreContent) -> None:
    keep(store, "other.example/team/app:stable", image())
    keep(store, "not a reference", image())
    assert content.tags(Name("team/app")) is None
    assert content.manifest(Name("team/app"), "stable") is None


def test_docker_io_serves_official_images_by_both_names(store: Store) -> None:
    kept = keep(store, "docker.io/library/debian:bookworm", image())
    content = StoreContent(store, home="docker.io")
    assert content.manifest(Name("library/debian"), "bookworm") == kept.manifest
    assert content.manifest(Name("debian"), "bookworm") == kept.manifest


def test_a_name_by_digest_is_a_repository_without_tags(store: Store, content: StoreContent) -> None:
    kept = image()
    keep(store, f"{HOME}/app@{kept.digest}", kept)
    assert content.tags(Name("app")) == ()
    assert content.manifest(Name("app"), kept.digest) == kept.manifest


def test_W06_platform_manifests_have_the_type_that_they_say(
    store: Store, content: StoreContent
) -> None:
    for flavour, name in ((OCI, "oci"), (DOCKER, "docker")):
        kept = index("linux/amd64", flavour=flavour)
        keep(store, f"{HOME}/{name}:x", kept)
        (child,) = kept.images
        assert content.manifest(Name(name), child.digest) == child.manifest


def test_W06_a_manifest_without_a_type_is_ocis(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    data = b'{"schemaVersion":2,"config":{},"layers":[]}'
    store.put(Digest.of(data), data)
    found = content.manifest(Name("app"), Digest.of(data))
    assert found is not None
    assert found.media_type == "application/vnd.oci.image.manifest.v1+json"


def test_W06_a_config_or_layer_is_no_manifest(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    for digest in kept.blobs:
        assert content.manifest(Name("app"), digest) is None


def test_W06_an_unknown_type_is_not_served(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    data = b'{"schemaVersion":2,"mediaType":"text/html","layers":[]}'
    store.put(Digest.of(data), data)
    assert content.manifest(Name("app"), Digest.of(data)) is None


def test_a_blob_is_served_from_its_file(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    for digest, data in kept.blobs.items():
        blob = content.blob(Name("app"), digest)
        assert blob is not None
        assert (blob.path.read_bytes(), blob.size) == (data, len(data))


def test_a_blob_needs_a_repository_that_is_there(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    assert content.blob(Name("other"), next(iter(kept.blobs))) is None


def test_what_the_store_lacks_is_not_there(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    missing = Digest.of(b"missing")
    assert content.blob(Name("app"), missing) is None
    assert content.manifest(Name("app"), missing) is None
    assert content.manifest(Name("app"), "missing") is None


def test_a_tag_that_moves_is_served_anew(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image("linux/amd64"))
    moved = keep(store, f"{HOME}/app:x", image("linux/arm64"))
    assert content.manifest(Name("app"), "x") == moved.manifest
    assert content.tags(Name("app")) == ("x",)


def test_W10_an_image_appears_when_it_is_named(store: Store, content: StoreContent) -> None:
    synced = image()
    for digest, data in synced.everything().items():
        store.put(digest, data)
        assert content.tags(Name("app")) is None
        assert content.manifest(Name("app"), "x") is None
    keep(store, f"{HOME}/app:x", synced)
    assert content.manifest(Name("app"), "x") == synced.manifest


def test_W05_a_corrupt_blob_is_never_served(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    digest = next(iter(kept.blobs))
    damage(store, digest)
    with pytest.raises(IntegrityError, match="corrupt"):
        content.blob(Name("app"), digest)


def test_W05_a_blob_that_is_damaged_later_is_noticed(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    digest = next(iter(kept.blobs))
    assert content.blob(Name("app"), digest) is not None
    damage(store, digest)
    with pytest.raises(IntegrityError, match="corrupt"):
        content.blob(Name("app"), digest)


def test_W05_a_corrupt_manifest_is_never_served(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    damage(store, kept.digest)
    with pytest.raises(IntegrityError):
        content.manifest(Name("app"), "x")


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
        assert content.blob(Name("app"), digest) is not None
    assert hashed == [digest]


def vanish(store: Store, digest: Digest) -> None:
    store.path(digest).unlink()


def test_what_is_pruned_is_gone_and_no_failure(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    assert content.manifest(Name("app"), "x") is not None
    for digest in kept.everything():
        assert content.blob(Name("app"), digest) is not None
        vanish(store, digest)
        assert content.blob(Name("app"), digest) is None
    assert content.manifest(Name("app"), "x") is None
    assert content.manifest(Name("app"), kept.digest) is None


def test_what_is_pruned_while_it_is_looked_at_is_gone_and_no_failure(
    store: Store, content: StoreContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    size = store.size

    def size_then_prune(digest: Digest) -> int | None:
        found = size(digest)
        if found is not None:
            vanish(store, digest)
        return found

    monkeypatch.setattr(store, "size", size_then_prune)
    assert content.manifest(Name("app"), "x") is None
    for digest in kept.blobs:
        assert content.blob(Name("app"), digest) is None


def test_all_registries_are_served_by_their_names(store: Store) -> None:
    debian = keep(store, "docker.io/library/debian:bookworm", image("linux/amd64"))
    app = keep(store, "registry.example:5000/team/app:1", image("linux/arm64"))
    content = StoreContent(store)
    for name in (Name("debian"), Name("library/debian"), Name("docker.io/library/debian")):
        assert content.manifest(name, "bookworm") == debian.manifest
    for name in (Name("registry.example_5000/team/app"), Name("team/app", HOME)):
        assert content.manifest(name, "1") == app.manifest
    assert content.tags(Name("team/app")) is None
    assert content.tags(Name("debian", "ghcr.io")) is None


def test_the_catalog_has_the_names_that_reach_repositories(store: Store) -> None:
    for name in ("docker.io/library/debian:1", "registry.example:5000/app:1", "registry:5000/b:1"):
        keep(store, name, image())
    keep(store, "lone-tag", image())
    content = StoreContent(store)
    everywhere = {"docker.io/library/debian", "registry.example_5000/app"}
    assert set(content.repositories("")) == everywhere
    assert all(content.tags(Name(path)) == ("1",) for path in everywhere)
    assert content.repositories("registry:5000") == ("b",)
    assert StoreContent(store, home="registry:5000").repositories("") == ("b",)


def test_index_json_is_read_when_it_changes_and_only_then(
    store: Store, content: StoreContent, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, f"{HOME}/app:x", image())
    reads: list[None] = []
    index = store.index

    def counted() -> dict[str, Any]:
        reads.append(None)
        return index()

    monkeypatch.setattr(store, "index", counted)
    for _ in range(3):
        assert content.tags(Name("app")) == ("x",)
    assert len(reads) == 1
    monkeypatch.undo()
    keep(store, f"{HOME}/app:y", image())
    assert content.tags(Name("app")) == ("x", "y")


def test_index_json_of_another_content_is_never_taken_for_the_old(
    store: Store, content: StoreContent
) -> None:
    """Same length and, on a coarse clock, same time: the inode must tell."""
    keep(store, f"{HOME}/app:x", image())
    path = store.root / "index.json"
    first = path.read_bytes()
    times = path.stat()
    for tag in ("y", "z", "w"):
        assert content.tags(Name("app")) is not None
        for data in (b"{}", first.replace(b"app:x", f"app:{tag}".encode())):
            fresh = store.root / "fresh"
            fresh.write_bytes(data)
            fresh.replace(path)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert content.tags(Name("app")) == (tag,)


def test_a_store_whose_index_json_is_gone_has_nothing(store: Store, content: StoreContent) -> None:
    keep(store, f"{HOME}/app:x", image())
    assert content.tags(Name("app")) == ("x",)
    (store.root / "index.json").unlink()
    assert content.tags(Name("app")) is None


def referring(to: Digest, **fields: Any) -> bytes:
    document = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "a/config", "digest": str(Digest.of(b"{}")), "size": 2},
        "layers": [],
        "subject": {"mediaType": "x", "digest": str(to), "size": 1},
        **fields,
    }
    return json.dumps({key: value for key, value in document.items() if value is not None}).encode()


def attach(store: Store, data: bytes) -> Digest:
    """Put a manifest into index.json, as `oras attach` does: without a name."""
    digest = Digest.of(data)
    store.put(digest, data)
    path = store.root / "index.json"
    document = json.loads(path.read_bytes())
    media_type = json.loads(data)["mediaType"]
    entry = {"mediaType": media_type, "digest": str(digest), "size": len(data)}
    document["manifests"].append(entry)
    path.write_text(json.dumps(document))
    return digest


def test_W08_what_refers_to_an_image_is_found(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    assert content.referrers(Name("app"), kept.digest) == ()
    typed = attach(
        store, referring(kept.digest, artifactType="a/signature", annotations={"by": "ada"})
    )
    untyped = attach(store, referring(kept.digest))
    attach(store, referring(Digest.of(b"another")))
    found = {one.digest: one for one in content.referrers(Name("app"), kept.digest) or ()}
    assert set(found) == {typed, untyped}
    assert found[typed].artifact_type == "a/signature"
    assert found[typed].annotations == {"by": "ada"}
    assert found[untyped].artifact_type == "a/config"
    assert content.referrers(Name("missing"), kept.digest) is None


def test_W08_a_referrer_within_an_index_is_found(store: Store, content: StoreContent) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    member = referring(kept.digest)
    store.put(Digest.of(member), member)
    described = {"mediaType": "m", "digest": str(Digest.of(member)), "size": len(member)}
    attach(
        store,
        json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [described]}).encode(),
    )
    found = content.referrers(Name("app"), kept.digest) or ()
    assert [one.digest for one in found] == [Digest.of(member)]


def test_W08_an_index_that_refers_has_no_type_but_its_own(
    store: Store, content: StoreContent
) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    attach(store, referring(kept.digest, mediaType=INDEX, manifests=[], layers=None))
    (found,) = content.referrers(Name("app"), kept.digest) or ()
    assert (found.media_type, found.artifact_type) == (INDEX, "")


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "no object"},
        {"subject": {"digest": "sha256:../../etc"}},
        {"annotations": {"a": 1}},
        {"mediaType": "text/html"},
    ],
)
def test_W08_a_malformed_manifest_refers_to_nothing(
    store: Store, content: StoreContent, fields: dict[str, Any]
) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    attach(store, referring(kept.digest, **fields))
    sound = attach(store, referring(kept.digest))
    assert [one.digest for one in content.referrers(Name("app"), kept.digest) or ()] == [sound]


def test_W08_a_corrupt_or_pruned_manifest_refers_to_nothing(
    store: Store, content: StoreContent
) -> None:
    kept = keep(store, f"{HOME}/app:x", image())
    corrupt = attach(store, referring(kept.digest, artifactType="a/1"))
    pruned = attach(store, referring(kept.digest, artifactType="a/2"))
    damage(store, corrupt)
    found = content.referrers(Name("app"), kept.digest) or ()
    assert [one.digest for one in found] == [pruned]
    damage(store, corrupt)  # the same bit again: it is mended
    found = content.referrers(Name("app"), kept.digest) or ()
    assert {one.digest for one in found} == {corrupt, pruned}
    vanish(store, corrupt)
    vanish(store, pruned)
    assert content.referrers(Name("app"), kept.digest) == ()
