from __future__ import annotations

import itertools
import os
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import IntegrityError
from pinner.oci.digest import Digest
from pinner.store import ingest as ingest_module
from pinner.store import locks
from pinner.store.ingest import Busy, Present
from pinner.store.partial import partial_name
from support import storing
from support.receiving import (
    DATA,
    DIGEST,
    MIB,
    OFFSETS,
    PIECE,
    SIZE,
    leftovers,
    write,
)
from support.storing import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinner.store.fs import Folder
    from pinner.store.layout import Store


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(list(OFFSETS), id="in order"),
        pytest.param(list(reversed(OFFSETS)), id="backwards"),
        pytest.param([*OFFSETS[1::2], *OFFSETS[0::2]], id="every other"),
        pytest.param([*OFFSETS[20:], *OFFSETS[:20]], id="two ranges"),
    ],
)
def test_a_blob_is_published_whatever_the_order(store: Store, order: list[int]) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, order)
        assert ingest.received == SIZE
        assert not store.has(DIGEST)
        ingest.commit()
        assert not ingest.is_open
    assert store.read(DIGEST, SIZE) == DATA
    assert store.path(DIGEST).stat().st_mode & 0o777 == 0o444
    assert leftovers(store) == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_taken(store: Store, kind: Callable[[bytes], bytes]) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        ingest.write(0, kind(DATA))
        ingest.commit()
    assert store.has(DIGEST, SIZE)


def test_B07_an_empty_blob_needs_no_byte(store: Store) -> None:
    digest = Digest.of(b"")
    with store.begin(digest, 0) as ingest:
        assert ingest.missing() == ()
        ingest.commit()
    assert store.has(digest, 0)
    assert store.read(digest, 0) == b""


def test_what_is_there_is_not_begun_again(store: Store) -> None:
    storing.fill(store, DATA)
    with pytest.raises(Present):
        store.begin(DIGEST, SIZE)
    assert leftovers(store) == []


def test_what_another_receives_is_not_begun(store: Store, root: Path) -> None:
    with store.begin(DIGEST, SIZE), open_store(root) as other:
        for taker in (store, other):
            with pytest.raises(Busy):
                taker.begin(DIGEST, SIZE)
    with store.begin(DIGEST, SIZE):
        pass


def test_who_comes_late_finds_the_blob_present(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process publishes between our first look and our lock."""

    def acquire(folder: Folder, name: str, *, wait: bool) -> int | None:
        monkeypatch.undo()
        with open_store(root) as other:
            storing.fill(other, DATA)
        return locks.acquire(folder, name, wait=wait)

    monkeypatch.setattr("pinner.store.partial.acquire", acquire)
    with pytest.raises(Present):
        store.begin(DIGEST, SIZE)
    assert leftovers(store) == []


def test_T27_a_partial_with_another_name_is_left_to_that(store: Store, tmp_path: Path) -> None:
    """Another store has linked it, and may have made a blob of it by now."""
    half = SIZE // 2
    with store.begin(DIGEST, SIZE) as ingest:
        ingest.write(0, DATA[:half])
    link = tmp_path / "link"
    link.hardlink_to(store.root / "ingest" / partial_name(DIGEST))
    with store.begin(DIGEST, SIZE) as ingest:
        assert ingest.resumed == 0
        ingest.write(0, DATA)
        ingest.commit()
    assert link.read_bytes() == DATA[:half]
    assert store.has(DIGEST, SIZE)


@pytest.mark.parametrize("index", [0, SIZE // 2, SIZE - 1])
def test_B01_a_flipped_bit_is_refused_and_the_blob_can_be_received_anew(
    store: Store, index: int
) -> None:
    bad = bytearray(DATA)
    bad[index] ^= 1
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS, bytes(bad))
        with pytest.raises(IntegrityError, match=f"{DIGEST} has other bytes than its digest names"):
            ingest.commit()
        assert ingest.missing() == ((0, SIZE),)
        assert not store.has(DIGEST)
        write(ingest, OFFSETS)  # B06: wrong once, then right
        ingest.commit()
    assert store.read(DIGEST, SIZE) == DATA


def test_B01_every_bit_of_a_small_blob(store: Store) -> None:
    data = b"0123456789"
    digest = Digest.of(data)
    with store.begin(digest, len(data)) as ingest:
        for bit in range(8 * len(data)):
            bad = bytearray(data)
            bad[bit // 8] ^= 1 << bit % 8
            ingest.write(0, bad)
            with pytest.raises(IntegrityError):
                ingest.commit()
    assert not store.has(digest)
    assert leftovers(store) == []


def test_B03_a_short_blob_is_not_published_and_can_be_completed(store: Store) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:-1])
        with pytest.raises(IntegrityError, match=f"has {OFFSETS[-1]} of {SIZE} bytes"):
            ingest.commit()
        assert ingest.missing() == ((OFFSETS[-1], SIZE),)
        write(ingest, OFFSETS[-1:])
        ingest.commit()
    assert store.has(DIGEST, SIZE)


@pytest.mark.parametrize("excess", [1, PIECE])
def test_B05_bytes_beyond_the_end_are_refused_before_they_are_written(
    store: Store, excess: int
) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:-1])
        with pytest.raises(IntegrityError, match=f"longer than the {SIZE} bytes"):
            ingest.write(OFFSETS[-1], DATA[OFFSETS[-1] :] + b"x" * excess)
        write(ingest, OFFSETS[-1:])
        ingest.commit()


def test_a_piece_that_was_written_cannot_be_changed(store: Store) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[:2])
        with pytest.raises(ValueError, match="written twice"):
            ingest.write(PIECE - 1, b"??")
        write(ingest, OFFSETS[2:])
        ingest.commit()


@pytest.mark.parametrize("ended", ["commit", "close"])
def test_a_closed_ingest_takes_nothing(store: Store, ended: str) -> None:
    ingest = store.begin(DIGEST, SIZE)
    write(ingest, OFFSETS)
    getattr(ingest, ended)()
    ingest.close()
    for call in (ingest.commit, ingest.reset, lambda: ingest.write(0, b"")):
        with pytest.raises(ValueError, match="is closed"):
            call()


def test_T13_a_closed_partial_is_continued_where_it_stopped(store: Store, root: Path) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, [*OFFSETS[:5], *OFFSETS[10:20]])
        assert ingest.resumed == 0
    with open_store(root) as later, later.begin(DIGEST, SIZE) as ingest:
        assert ingest.resumed == ingest.received == 15 * PIECE
        assert ingest.missing() == ((5 * PIECE, 10 * PIECE), (20 * PIECE, SIZE))
        write(ingest, [*OFFSETS[20:], *OFFSETS[5:10]])
        ingest.commit()
        assert ingest.resumed == 15 * PIECE
    assert store.read(DIGEST, SIZE) == DATA
    assert leftovers(store) == []


def test_T13_a_killed_process_loses_at_most_what_it_had_not_journaled(store: Store) -> None:
    process = storing.start("hold", store.root, 7)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    process.kill()
    process.communicate()
    data = storing.noise(7, 3_000_000)
    with store.begin(Digest.of(data), len(data)) as ingest:
        assert ingest.resumed == 2_000_000
        assert ingest.missing() == ((2_000_000, 3_000_000),)


def test_a_partial_without_a_byte_leaves_nothing(store: Store) -> None:
    with store.begin(DIGEST, SIZE):
        pass
    assert leftovers(store) == []


def test_reset_starts_over_under_the_same_lock(store: Store) -> None:
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS, DATA[::-1])
        ingest.reset()
        assert ingest.missing() == ((0, SIZE),)
        with pytest.raises(Busy):
            store.begin(DIGEST, SIZE)
        write(ingest, OFFSETS)
        ingest.commit()
    assert store.has(DIGEST, SIZE)


def test_a_blob_can_be_completed_after_its_store_was_closed(root: Path) -> None:
    """As a worker thread may that outlives an interrupted run."""
    with open_store(root) as store:
        ingest = store.begin(DIGEST, SIZE)
        write(ingest, OFFSETS[:5])
    write(ingest, OFFSETS[5:])
    ingest.commit()
    with open_store(root) as store:
        assert store.read(DIGEST, SIZE) == DATA


@pytest.mark.parametrize("workers", [2, 8])
def test_workers_write_disjoint_parts_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(ingest_module, "_CATCH_UP", 2 * PIECE)  # so that much is left to commit
    with store.begin(DIGEST, SIZE) as ingest:
        share = -(-len(OFFSETS) // workers)
        parts = [OFFSETS[start : start + share] for start in range(0, len(OFFSETS), share)]
        threads = [threading.Thread(target=write, args=(ingest, part)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ingest.commit()
    assert store.read(DIGEST, SIZE) == DATA


def test_closing_waits_for_a_write_under_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the descriptor's number could be another blob's when the bytes arrive."""
    writing, go_on = threading.Event(), threading.Event()
    real = os.pwrite

    def slow(fd: int, data: bytes, offset: int) -> int:
        writing.set()
        go_on.wait()
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", slow)
    ingest = store.begin(DIGEST, SIZE)
    writer = threading.Thread(target=write, args=(ingest, OFFSETS[:1]))
    writer.start()
    writing.wait()
    closer = threading.Thread(target=ingest.close)
    closer.start()
    assert ingest.is_open
    go_on.set()
    closer.join()
    writer.join()
    with store.begin(DIGEST, SIZE) as again:
        assert again.resumed == PIECE


def test_memory_does_not_grow_with_what_arrives_early(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is ahead of the frontier is read back in small pieces, a bounded amount a write."""
    read: list[int] = []
    real = os.pread

    def counted(fd: int, length: int, offset: int) -> bytes:
        read.append(length)
        return real(fd, length, offset)

    monkeypatch.setattr(os, "pread", counted)
    monkeypatch.setattr(ingest_module, "_CATCH_UP", MIB)
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS[1:])
        assert read == []
        write(ingest, OFFSETS[:1])
        assert sum(read) == MIB
        assert max(read) <= 256 * 1024
        ingest.commit()
    assert sum(read) == SIZE - PIECE


def test_bytes_in_order_are_never_read_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(os, "pread", refuse)
    storing.fill(store, DATA)
    assert store.has(DIGEST, SIZE)


def test_the_journal_is_written_about_every_mebibyte(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    lines: list[bytes] = []

    def counted(fd: int, data: bytes) -> int:
        lines.append(data)
        return real(fd, data)

    monkeypatch.setattr(os, "write", counted)
    with store.begin(DIGEST, SIZE) as ingest:
        write(ingest, OFFSETS)
        ingest.commit()
    assert [line.split() for line in lines] == [
        [b"%d" % start, b"%d" % end]
        for start, end in itertools.pairwise(range(0, SIZE, 11 * PIECE))
    ]
