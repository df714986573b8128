"""Small blobs are read whole, and only as their descriptor promises."""

from __future__ import annotations

import pytest

from pinner.errors import IntegrityError, RegistryError, Unavailable
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.fetch import read_blob, read_dated_blob
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Repository

REPOSITORY = Repository.parse("registry.example/app")
DATA = bytes(range(256)) * 1024


def descriptor_of(data: bytes, *, size: int | None = None) -> Descriptor:
    return Descriptor(
        media_type="application/x",
        digest=Digest.of(data),
        size=len(data) if size is None else size,
    )


@pytest.fixture
def source() -> MemorySource:
    source = MemorySource()
    source.push_blob(REPOSITORY, DATA)
    return source


def test_reads_the_blob(source: MemorySource) -> None:
    assert read_blob(source, REPOSITORY, descriptor_of(DATA)) == DATA


def test_reads_the_registrys_own_time_too() -> None:
    source = MemorySource()
    source.push_blob(REPOSITORY, DATA, last_modified=1_794_391_200.0)
    dated = read_dated_blob(source, REPOSITORY, descriptor_of(DATA))
    assert (dated.data, dated.last_modified) == (DATA, 1_794_391_200.0)


def test_M29_more_than_the_limit_is_not_asked_for(source: MemorySource) -> None:
    with pytest.raises(IntegrityError, match="has 262144 bytes, more than 262143"):
        read_blob(source, REPOSITORY, descriptor_of(DATA), limit=len(DATA) - 1)
    assert source.counts["blob"] == 0


def test_a_size_that_is_too_small_shows_in_the_digest(source: MemorySource) -> None:
    with pytest.raises(IntegrityError, match="has other bytes than its digest names"):
        read_blob(source, REPOSITORY, descriptor_of(DATA, size=len(DATA) - 1))


def test_a_blob_that_ends_early_is_unavailable(source: MemorySource) -> None:
    with pytest.raises(Unavailable, match="ended after 262144 of 262145 bytes"):
        read_blob(source, REPOSITORY, descriptor_of(DATA, size=len(DATA) + 1))


def test_a_blob_that_is_not_there(source: MemorySource) -> None:
    with pytest.raises(RegistryError, match="has no blob"):
        read_blob(source, REPOSITORY, descriptor_of(b"other"))
