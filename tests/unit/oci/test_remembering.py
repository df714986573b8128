from __future__ import annotations

import pytest

from pinner.errors import NotFound
from pinner.oci.memory import MemorySource
from pinner.oci.reference import Reference, Repository
from pinner.oci.remembering import RememberingSource
from support.registry_content import OCI_MANIFEST

REPOSITORY = Repository.parse("registry.example/team/app")
TAG = Reference(REPOSITORY, "1")


def made(data: bytes) -> tuple[MemorySource, RememberingSource]:
    memory = MemorySource()
    memory.push(TAG, data, media_type=OCI_MANIFEST)
    return memory, RememberingSource(memory)


def test_what_a_tag_named_is_not_asked_for_by_digest_again() -> None:
    memory, source = made(b"{}")
    raw = source.resolve(TAG)
    assert source.manifest(REPOSITORY, raw.digest) == raw
    assert memory.counts["manifest"] == 1


def test_a_tag_is_asked_for_each_time() -> None:
    memory, source = made(b"{}")
    before = source.resolve(TAG)
    memory.push(TAG, b'{"moved":1}', media_type=OCI_MANIFEST)
    assert source.resolve(TAG) != before


def test_another_repository_is_asked_for_itself() -> None:
    _, source = made(b"{}")
    raw = source.resolve(TAG)
    with pytest.raises(NotFound):
        source.manifest(Repository.parse("registry.example/team/other"), raw.digest)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    memory, source = made(b"0" * (33 * 1024 * 1024))
    raw = source.resolve(TAG)
    source.manifest(REPOSITORY, raw.digest)
    source.manifest(REPOSITORY, raw.digest)
    assert memory.counts["manifest"] == 3
