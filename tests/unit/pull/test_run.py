"""A whole pull: out of a registry in memory, into a real store; and what it asks for."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pinner.errors import AccessDenied, IntegrityError, NotFound, StoreError
from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.manifest import MalformedManifest, NoSuchPlatform
from pinner.oci.memory import MemorySource
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.output.pulling import QuietPull
from pinner.pull import Block, Pulled, PullResult, Skipped, parse_wishes, run_pull
from pinner.store.layout import Store
from support.clock import FakeClock
from support.images import OCI, image, index, layer, push

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pinner.oci.reference import Repository
    from pinner.oci.remembering import Source
    from pinner.oci.sources import RawManifest

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")
S390X = Platform.parse("linux/s390x")
BASE = layer("base", 50_000)
APP = "registry.example/team/app"


class Heard(QuietPull):
    """Keeps the blocks."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.ends: list[tuple[str, bool]] = []

    def found(self, blocks: Sequence[Block]) -> None:
        self.blocks = list(blocks)

    def image_done(self, name: str) -> None:
        self.ends.append((name, True))

    def image_failed(self, name: str) -> None:
        self.ends.append((name, False))


@pytest.fixture
def registry() -> MemorySource:
    return MemorySource()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def pull(
    store: Store,
    source: Source,
    *names: str,
    all_tags: bool = False,
    platforms: Sequence[Platform] = (AMD64,),
    mirrored: bool = False,
    heard: Heard | None = None,
) -> PullResult:
    return run_pull(
        parse_wishes(names, all_tags=all_tags),
        store,
        lambda: source,
        platforms=platforms,
        progress=heard or Heard(),
        clock=FakeClock(),
        jobs=4,
        is_mirrored=lambda _: mirrored,
    )


def named(store: Store) -> dict[str, Digest]:
    return {named.name: named.descriptor.digest for named in store.images()}


def pulled(result: PullResult) -> list[Pulled]:
    found = [outcome for outcome in result.outcomes if isinstance(outcome, Pulled)]
    assert len(found) == len(result.outcomes), result
    return found


def failure(result: PullResult) -> Any:
    (outcome,) = result.outcomes
    assert isinstance(outcome, Failed)
    return outcome.error


def test_one_manifest_get_for_a_tag_and_one_for_its_platform(
    store: Store, registry: MemorySource
) -> None:
    raw = push(registry, f"{APP}:1", index("linux/amd64", "linux/arm64"))
    (found,) = pulled(pull(store, registry, f"{APP}:1"))
    assert registry.counts == {"manifest": 2, "blob": 2}
    assert found.digest == raw.digest
    assert not found.up_to_date
    assert named(store)[f"{APP}:1"] == raw.digest
    assert list(found.platforms) == [AMD64]


def test_again_costs_a_head(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", index("linux/amd64"))
    pull(store, registry, f"{APP}:1")
    registry.counts.clear()
    (found,) = pulled(pull(store, registry, f"{APP}:1"))
    assert registry.counts == {"head": 1}
    assert found.up_to_date


def test_another_tag_of_what_is_here_costs_a_head_as_well(
    store: Store, registry: MemorySource
) -> None:
    push(registry, f"{APP}:1", index("linux/amd64"))
    push(registry, f"{APP}:2", index("linux/amd64"))
    pull(store, registry, f"{APP}:1")
    registry.counts.clear()
    (found,) = pulled(pull(store, registry, f"{APP}:2"))
    assert registry.counts == {"head": 1}
    assert not found.up_to_date  # the name is new
    assert named(store)[f"{APP}:2"] == named(store)[f"{APP}:1"]


def test_a_repository_whose_name_begins_alike_is_not_known(
    store: Store, registry: MemorySource
) -> None:
    push(registry, f"{APP}:1", index("linux/amd64"))
    push(registry, f"{APP}-more:1", index("linux/amd64"))
    pull(store, registry, f"{APP}-more:1")
    registry.counts.clear()
    pull(store, registry, f"{APP}:1")
    assert registry.counts["head"] == 0


def test_a_digest_that_is_here_costs_nothing(store: Store, registry: MemorySource) -> None:
    raw = push(registry, f"{APP}:1", index("linux/amd64"))
    pull(store, registry, f"{APP}@{raw.digest}")
    registry.counts.clear()
    (found,) = pulled(pull(store, registry, f"{APP}:7@{raw.digest}"))
    assert registry.counts == {}
    assert found.up_to_date
    assert f"{APP}:7" not in named(store)  # beside a digest, a tag says nothing


def test_one_digest_by_two_spellings(store: Store, registry: MemorySource) -> None:
    raw = push(registry, f"{APP}:1", index("linux/amd64"))
    result = pull(store, registry, f"{APP}@{raw.digest}", f"{APP}:1@{raw.digest}")
    assert len(pulled(result)) == 2
    assert [str(reference) for reference in result.pulled] == [
        f"{APP}@{raw.digest}",
        f"{APP}:1@{raw.digest}",
    ]
    assert registry.counts["blob"] == 2


def test_a_moved_tag_is_fetched_and_renamed(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", index(image("linux/amd64", BASE)))
    pull(store, registry, f"{APP}:1")
    new = push(registry, f"{APP}:1", index(image("linux/amd64", BASE, layer("new"))))
    registry.counts.clear()
    heard = Heard()
    (found,) = pulled(pull(store, registry, f"{APP}:1", heard=heard))
    assert registry.counts == {"head": 1, "manifest": 2, "blob": 2}
    assert (found.digest, found.up_to_date) == (new.digest, False)
    assert named(store)[f"{APP}:1"] == new.digest
    (block,) = heard.blocks
    assert BASE.digest not in block.missing
    assert len(block.missing) == 2


def test_where_there_is_a_mirror_the_tag_is_asked_for_by_head(
    store: Store, registry: MemorySource
) -> None:
    push(registry, f"{APP}:1", index("linux/amd64"))
    pull(store, registry, f"{APP}:1", mirrored=True)
    assert registry.counts["head"] == 1


class Moving(MemorySource):
    """Its HEAD tells of what the tag named a moment ago, which is gone."""

    def head(self, reference: Reference) -> Digest | None:
        super().head(reference)
        return Digest.of(b"gone")


def test_a_tag_that_moves_between_two_requests(store: Store) -> None:
    registry = Moving()
    raw = push(registry, f"{APP}:1", index("linux/amd64"))
    (found,) = pulled(pull(store, registry, f"{APP}:1", mirrored=True))
    assert found.digest == raw.digest


def test_all_tags_ask_once_for_each_digest(store: Store, registry: MemorySource) -> None:
    for tag in ("1", "1.2", "latest"):
        push(registry, f"{APP}:{tag}", index("linux/amd64"))
    push(registry, f"{APP}:2", index(image("linux/amd64", layer("two"))))
    result = pull(store, registry, APP, all_tags=True)
    assert [found.name for found in pulled(result)] == [
        f"{APP}:{tag}" for tag in ("1", "1.2", "latest", "2")
    ]
    assert registry.counts == {"tags": 1, "head": 4, "manifest": 4, "blob": 4}
    assert [str(reference) for reference in result.pulled] == [APP]


class Patient(MemorySource):
    """Answers a manifest when every tag was asked for."""

    def __init__(self, tags: int) -> None:
        super().__init__()
        self._left = threading.Semaphore(0)
        self._count_of_tags = tags

    def head(self, reference: Reference) -> Digest | None:
        found = super().head(reference)
        self._left.release()
        return found

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        raw = super().manifest(repository, digest)
        for _ in range(self._count_of_tags):
            assert self._left.acquire(timeout=60)
        self._left.release(self._count_of_tags)
        return raw


def test_all_tags_ask_once_though_they_ask_at_the_same_time(store: Store) -> None:
    registry = Patient(tags=4)
    for number in range(4):
        push(registry, f"{APP}:{number}", index("linux/amd64"))
    pulled(pull(store, registry, APP, all_tags=True))
    assert registry.counts["manifest"] == 2  # the index, and its one image


def test_who_fails_before_there_is_a_plan_is_told_of(store: Store, registry: MemorySource) -> None:
    made = image("linux/amd64", BASE)
    push(registry, "a:1", made)
    document = json.loads(made.manifest.data)
    document["layers"][0]["size"] += 1
    data = json.dumps(document).encode()
    for blob in made.blobs.values():
        registry.push_blob(Reference.parse("b").repository, blob)
    registry.push(Reference.parse("b:1"), data, media_type=made.manifest.media_type)
    heard = Heard()
    first, second = pull(store, registry, "a:1", "b:1", heard=heard).outcomes
    assert isinstance(first, Pulled)
    assert isinstance(second, Failed)
    assert isinstance(second.error, IntegrityError)
    assert ("b:1", False) in heard.ends


def test_several_names_share_blobs(store: Store, registry: MemorySource) -> None:
    push(registry, "a:1", index(image("linux/amd64", BASE, layer("a"))))
    push(registry, "b:1", index(image("linux/amd64", BASE, layer("b"))))
    result = pull(store, registry, "a:1", "b:1")
    assert len(pulled(result)) == 2
    assert registry.counts["blob"] == 5  # two configs, a, b, and the base once


def test_several_platforms(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", index("linux/amd64", "linux/arm64", "linux/s390x"))
    (found,) = pulled(pull(store, registry, f"{APP}:1", platforms=(ARM64, AMD64)))
    assert list(found.platforms) == [ARM64, AMD64]
    assert all(map(store.has, found.platforms.values()))


def test_a_lone_image(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", image("linux/amd64"))
    (found,) = pulled(pull(store, registry, f"{APP}:1"))
    assert found.platforms == {AMD64: found.digest}
    assert registry.counts == {"manifest": 1, "blob": 2}  # the config is not fetched twice


def test_a_lone_image_for_another_platform_is_refused(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", image("linux/arm64"))
    error = failure(pull(store, registry, f"{APP}:1"))
    assert isinstance(error, NoSuchPlatform)
    assert error.what == (
        f"image with reference {APP}:1 was found but its platform (linux/arm64) does not match the "
        "specified platform (linux/amd64)"
    )
    assert named(store) == {}


def test_an_index_without_the_platform(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", index("linux/arm64"))
    heard = Heard()
    error = failure(pull(store, registry, f"{APP}:1", platforms=(S390X,), heard=heard))
    assert isinstance(error, NoSuchPlatform)
    assert error.what == "no matching manifest for linux/s390x in the manifest list entries"
    assert error.mend == ("there are images for linux/arm64",)
    assert [(block.found, block.digest) for block in heard.blocks] == [(True, None)]


def test_one_that_fails_does_not_stop_the_others(store: Store, registry: MemorySource) -> None:
    push(registry, "b:1", index("linux/amd64"))
    result = pull(store, registry, "a:1", "b:1")
    first, second = result.outcomes
    assert isinstance(first, Failed)
    assert isinstance(first.error, NotFound)
    assert isinstance(second, Pulled)
    assert [str(reference) for reference in result.pulled] == ["docker.io/library/b:1"]
    assert not result.complete


def test_scratch(store: Store, registry: MemorySource) -> None:
    assert failure(pull(store, registry, "scratch")).what == "'scratch' is a reserved name"
    assert registry.counts == {}


def test_a_repository_without_tags(store: Store, registry: MemorySource) -> None:
    registry.push(Reference.parse("a"), b"{}", media_type=mediatypes.OCI_MANIFEST)
    error = failure(pull(store, registry, "a", all_tags=True))
    assert isinstance(error, NotFound)
    assert error.what == "a has no tags"


def push_artifact(registry: MemorySource, name: str, **more: Any) -> RawManifest:
    repository = Reference.parse(name).repository
    kind = "application/vnd.cncf.helm.config.v1+json"
    config = registry.push_blob(repository, b"{}")
    document = {
        "schemaVersion": 2,
        "mediaType": mediatypes.OCI_MANIFEST,
        "config": {"mediaType": kind, "digest": str(config), "size": 2},
        "layers": [],
        **more,
    }
    data = json.dumps(document).encode()
    return registry.push(Reference.parse(name), data, media_type=mediatypes.OCI_MANIFEST)


def test_an_artifact_is_refused(store: Store, registry: MemorySource) -> None:
    push_artifact(registry, f"{APP}:1")
    error = failure(pull(store, registry, f"{APP}:1"))
    assert error.what == "unsupported media type application/vnd.cncf.helm.config.v1+json"
    assert error.exit_code == 4


def test_an_artifact_among_all_tags_is_passed_over(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", index("linux/amd64"))
    push_artifact(registry, f"{APP}:sha256-ab.sig")
    result = pull(store, registry, APP, all_tags=True)
    assert result.complete
    assert isinstance(result.outcomes[0], Pulled)
    assert result.outcomes[1] == Skipped(
        name=f"{APP}:sha256-ab.sig",
        reason="unsupported media type application/vnd.cncf.helm.config.v1+json",
    )


@pytest.mark.parametrize(
    ("kind", "is_image"),
    [
        pytest.param("application/vnd.dev.cosign.simplesigning.v1+json", False, id="a signature"),
        pytest.param("application/vnd.oci.imagesque", False, id="almost"),
        pytest.param(
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", True, id="docker"
        ),
        pytest.param("application/octet-stream", True, id="of old"),
    ],
)
def test_a_layer_says_whether_it_is_an_image(
    store: Store, registry: MemorySource, kind: str, *, is_image: bool
) -> None:
    """What cosign pushes has an image's config, which names no platform."""
    made = image("linux/amd64", layer("one", 10), flavour=replace(OCI, layer=kind))
    push(registry, f"{APP}:1", made)
    result = pull(store, registry, f"{APP}:1")
    assert result.complete == is_image
    if not is_image:
        assert failure(result).what == f"unsupported media type {kind}"


def test_schema1(store: Store, registry: MemorySource) -> None:
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    registry.push(Reference.parse("a:1"), b'{"schemaVersion": 1}', media_type=kind)
    error = failure(pull(store, registry, "a:1"))
    assert isinstance(error, MalformedManifest)
    assert error.what.startswith("Docker Image Format v1 and Docker Image manifest version 2, sch")
    assert "the author of a:1 to upgrade" in error.what


def test_an_index_that_says_that_an_index_is_an_image(store: Store, registry: MemorySource) -> None:
    inner = push(registry, f"{APP}:inner", index("linux/amd64"))
    member = {
        "mediaType": mediatypes.OCI_MANIFEST,
        "digest": str(inner.digest),
        "size": len(inner.data),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    document = {"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": [member]}
    data = json.dumps(document).encode()
    registry.push(Reference.parse(f"{APP}:1"), data, media_type=mediatypes.OCI_INDEX)
    error = failure(pull(store, registry, f"{APP}:1"))
    assert error.what == f"{inner.digest} is an index where {APP}:1 promises an image"


def test_a_nested_index(store: Store, registry: MemorySource) -> None:
    inner = push(registry, f"{APP}:inner", index("linux/amd64"))
    member = {"mediaType": inner.media_type, "digest": str(inner.digest), "size": len(inner.data)}
    document = {"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": [member]}
    data = json.dumps(document).encode()
    raw = registry.push(Reference.parse(f"{APP}:1"), data, media_type=mediatypes.OCI_INDEX)
    (found,) = pulled(pull(store, registry, f"{APP}:1"))
    assert found.digest == raw.digest
    assert store.has(inner.digest)


def test_an_index_that_says_another_platform_than_the_config(
    store: Store, registry: MemorySource
) -> None:
    other = push(registry, f"{APP}:other", image("linux/arm64"))
    member = {
        "mediaType": mediatypes.OCI_MANIFEST,
        "digest": str(other.digest),
        "size": len(other.data),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    document = {"schemaVersion": 2, "mediaType": mediatypes.OCI_INDEX, "manifests": [member]}
    data = json.dumps(document).encode()
    registry.push(Reference.parse(f"{APP}:1"), data, media_type=mediatypes.OCI_INDEX)
    result = pull(store, registry, f"{APP}:1")
    assert result.warnings == (f"{APP}:1: wanted for linux/amd64, its config says linux/arm64",)


class Lying(MemorySource):
    """Answers a digest with other bytes, as the client notices."""

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        super().manifest(repository, digest)
        raise IntegrityError("registry.example sent other bytes", where="https://registry.example")


def test_a_digest_that_is_answered_with_other_bytes(store: Store) -> None:
    registry = Lying()
    raw = push(registry, f"{APP}:1", index("linux/amd64"))
    error = failure(pull(store, registry, f"{APP}@{raw.digest}"))
    assert error.what == f"manifest verification failed for digest {raw.digest}"
    assert error.mend == ("https://registry.example: registry.example sent other bytes",)


@pytest.mark.parametrize("kind", ["filesystem layer", "image config"])
def test_a_blob_with_other_bytes(store: Store, registry: MemorySource, kind: str) -> None:
    made = image("linux/amd64", layer("only"))
    push(registry, f"{APP}:1", index(made))
    manifest = json.loads(made.manifest.data)
    described = manifest["config"] if kind == "image config" else manifest["layers"][0]
    digest = Digest.parse(described["digest"])
    repository = Reference.parse(APP).repository
    registry._blobs[repository, digest] = (bytes(described["size"]), None)
    heard = Heard()
    error = failure(pull(store, registry, f"{APP}:1", heard=heard))
    assert error.what == f"{kind} verification failed for digest {digest}"
    assert heard.ends[-1] == (f"{APP}:1", False)
    assert named(store) == {}


class Private(MemorySource):
    """Wants a login."""

    def resolve(self, reference: Reference) -> RawManifest:
        raise AccessDenied("registry.example refused it")


def test_a_private_repository(store: Store) -> None:
    error = failure(pull(store, Private(), f"{APP}:1"))
    assert error.what.startswith(f"pull access denied for {APP}, repository does not exist or may")
    assert error.exit_code == 3


def test_a_store_that_fails_is_everybodys(store: Store, registry: MemorySource) -> None:
    push(registry, f"{APP}:1", image("linux/amd64"))

    def put(digest: Digest, data: bytes) -> None:
        raise StoreError("the disk is full")

    store.put = put  # type: ignore[method-assign,assignment]
    with pytest.raises(StoreError, match="the disk is full"):
        pull(store, registry, f"{APP}:1", "other:1")
