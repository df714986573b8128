"""Blobs of a store as something to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.errors import IntegrityError, StoreError
from pinner.oci.digest import Digest
from pinner.store.sending import StoredBlob
from support.storing import noise, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.store.layout import Store

DATA = noise(1, 300_000)
DIGEST = Digest.of(DATA)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as store:
        store.put(DIGEST, DATA)
        yield store


@pytest.mark.parametrize(
    ("start", "end"), [(0, 300_000), (0, 1), (299_999, 300_000), (131_071, 262_145), (5, 5)]
)
def test_any_part_comes_whole_and_again(store: Store, start: int, end: int) -> None:
    blob = StoredBlob(store.blobs, DIGEST)
    for _ in range(2):
        assert b"".join(map(bytes, blob.pieces(start, end))) == DATA[start:end]


def test_no_piece_is_large(store: Store) -> None:
    assert max(map(len, StoredBlob(store.blobs, DIGEST).pieces(0, 300_000))) == 128 * 1024


def test_a_file_that_is_too_short_is_corrupt(store: Store) -> None:
    path = store.path(DIGEST)
    path.chmod(0o644)
    path.write_bytes(DATA[:1000])
    with pytest.raises(IntegrityError, match="too short"):
        list(StoredBlob(store.blobs, DIGEST).pieces(0, 300_000))


@pytest.mark.parametrize("kind", ["gone", "link", "folder"])
def test_what_is_no_file_is_not_sent(store: Store, kind: str) -> None:
    path = store.path(DIGEST)
    path.unlink()
    if kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(StoreError):
        list(StoredBlob(store.blobs, DIGEST).pieces(0, 10))
