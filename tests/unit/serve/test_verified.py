from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.errors import IntegrityError, StoreError
from pinner.oci.digest import Digest
from pinner.serve.verified import Verified, steadily
from pinner.store.layout import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DATA = b"0123456789"
BLOB = Digest.of(DATA)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", boot_id=lambda: None) as store:
        store.put(BLOB, DATA)
        yield store


def replace(store: Store, data: bytes) -> None:
    fresh = store.root / "fresh"
    fresh.write_bytes(data)
    fresh.rename(store.path(BLOB))


def test_a_blob_is_as_large_as_its_bytes(store: Store) -> None:
    assert Verified(store).size(BLOB) == 10
    assert Verified(store).size(Digest.of(b"absent")) is None


def test_digests_that_somebody_makes_up_are_not_remembered(store: Store) -> None:
    verified = Verified(store)
    for number in range(100):
        assert verified.size(Digest.of(b"%d" % number)) is None
    assert not verified._turns


def test_W05_bytes_of_another_digest_are_corrupt(store: Store) -> None:
    replace(store, b"9876543210")
    with pytest.raises(IntegrityError, match="corrupt"):
        Verified(store).size(BLOB)


def test_a_blob_that_is_mended_is_there_again(store: Store) -> None:
    verified = Verified(store)
    replace(store, b"9876543210")
    with pytest.raises(IntegrityError):
        verified.size(BLOB)
    replace(store, DATA)
    assert verified.size(BLOB) == 10


def test_a_blob_that_is_removed_while_it_is_hashed_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(digest: Digest) -> bool:
        store.path(digest).unlink()
        return False

    monkeypatch.setattr(store.blobs, "matches", away)
    assert Verified(store).size(BLOB) is None


def test_a_blob_that_comes_back_while_it_is_hashed_is_hashed_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the file had been away at the moment of opening it."""
    looks: list[Digest] = []
    matches: Callable[[Digest], bool] = store.blobs.matches

    def away_at_first(digest: Digest) -> bool:
        looks.append(digest)
        if len(looks) > 1:
            return matches(digest)
        replace(store, DATA)
        return False

    monkeypatch.setattr(store.blobs, "matches", away_at_first)
    assert Verified(store).size(BLOB) == 10
    assert len(looks) == 2


def test_a_failure_of_a_file_that_stays_the_same_is_one(store: Store) -> None:
    looks: list[None] = []

    def fail() -> bytes:
        looks.append(None)
        raise StoreError("the disk failed")

    with pytest.raises(StoreError, match="the disk failed"):
        steadily(store.path(BLOB), fail)
    assert len(looks) == 1


def test_a_file_that_cannot_be_looked_at_is_no_file_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be read"):
        steadily(tmp_path / "file/below", lambda: b"")


def test_a_file_that_is_gone_is_not_looked_at(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise StoreError("the store has no such blob")

    assert steadily(tmp_path / "absent", fail) is None
