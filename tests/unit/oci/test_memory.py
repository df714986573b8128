"""The registry in memory answers as a registry does."""

from __future__ import annotations

import pytest

from pinner.errors import NotFound, Unavailable
from pinner.oci import mediatypes
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Reference, Repository

APP = Reference.parse("registry.example/team/app:1")
OTHER = Repository.parse("registry.example/team/other")
INDEX = b'{"schemaVersion":2,"manifests":[]}'
BLOB = bytes(200_000)


@pytest.fixture
def registry() -> MemorySource:
    registry = MemorySource()
    registry.push(APP, INDEX, media_type=mediatypes.OCI_INDEX)
    registry.push_blob(APP.repository, BLOB)
    return registry


def blob(size: int = len(BLOB)) -> Descriptor:
    return Descriptor(media_type="application/x", digest=Digest.of(BLOB), size=size)


def test_resolves_tags_and_digests(registry: MemorySource) -> None:
    raw = registry.resolve(APP)
    assert (raw.data, raw.digest) == (INDEX, Digest.of(INDEX))
    assert registry.resolve(APP.with_tag("gone").with_digest(raw.digest)) == raw
    assert registry.manifest(APP.repository, raw.digest) == raw
    assert registry.head(APP) == raw.digest
    assert registry.counts == {"manifest": 3, "head": 1}


def test_a_moved_tag(registry: MemorySource) -> None:
    moved = registry.push(APP, INDEX + b"\n", media_type=mediatypes.OCI_INDEX)
    assert registry.head(APP) == moved.digest
    assert registry.manifest(APP.repository, Digest.of(INDEX)).data == INDEX


def test_no_tag_means_latest(registry: MemorySource) -> None:
    untagged = APP.with_tag(None)
    with pytest.raises(NotFound, match=r"there is no registry\.example/team/app"):
        registry.resolve(untagged)
    registry.push(untagged.tag_or_latest(), INDEX, media_type=mediatypes.OCI_INDEX)
    assert registry.resolve(untagged).data == INDEX


def test_lists_tags_in_the_order_of_their_first_push(registry: MemorySource) -> None:
    for tag in ("9", "2", "1"):
        registry.push(APP.with_tag(tag), INDEX, media_type=mediatypes.OCI_INDEX)
    registry.push(APP.with_tag(None), INDEX, media_type=mediatypes.OCI_INDEX)
    assert registry.tags(APP.repository) == ("1", "9", "2")


@pytest.mark.parametrize("chunked", [(0, None), (0, 200_000), (100, 150_000), (5, 6), (7, 7)])
def test_streams_the_range(registry: MemorySource, chunked: tuple[int, int | None]) -> None:
    start, end = chunked
    with registry.open_blob(APP.repository, blob(), start=start, end=end) as stream:
        assert b"".join(stream.chunks()) == BLOB[start:end]
        assert (stream.start, stream.end) == (start, len(BLOB) if end is None else end)
        assert stream.ranged is (stream.end - start != len(BLOB))


def test_a_short_blob_ends_in_unavailable(registry: MemorySource) -> None:
    with registry.open_blob(APP.repository, blob(size=200_001)) as stream:
        chunks = stream.chunks()
        assert len(next(chunks)) > 0
        with pytest.raises(Unavailable, match="ended after 200000 of 200001 bytes"):
            list(chunks)


def test_repositories_are_apart(registry: MemorySource) -> None:
    with pytest.raises(NotFound, match="has no manifest"):
        registry.manifest(OTHER, Digest.of(INDEX))
    with pytest.raises(NotFound, match="has no blob"):
        registry.open_blob(OTHER, blob())
    with pytest.raises(NotFound, match="there is no repository"):
        registry.tags(OTHER)
