"""What is due when: blobs that are on their way to the store, and the images that wait for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pinner.mirror.fetching import Fetching
from pinner.mirror.look import Wish
from pinner.mirror.plan import BlobWork
from pinner.mirror.push import BlobMoved
from pinner.mirror.tree import ImageTree
from pinner.mirror.work import Board
from pinner.oci.reference import Repository
from pinner.output.tally import Tally
from pinner.progress import BlobPlan, ImagePlan, NullProgress
from support.outcomes import descriptor, locked
from support.waiting import await_that

if TYPE_CHECKING:
    import pytest

A, B = (Repository("m.example", name) for name in "ab")
HERE, LATE, OTHER = descriptor(1, 500), descriptor(2, 10), descriptor(3, 9000)
PATIENCE = 60


def tree(name: str, repository: Repository) -> ImageTree:
    image = locked(name, "1", 0x70, repository=f"r.example/{name}")
    wish = Wish(image=image, repository=repository, digests=(image.digest,), tag="1")
    return ImageTree(wish=wish, manifests=(), blobs=(), names={})


ONE, TWO = tree("one", A), tree("two", B)
FOR_ONE = BlobWork(descriptor=HERE, sources=(), images=("one",), upload_to=A)
LATE_ONE = BlobWork(descriptor=LATE, sources=(), images=("one",), upload_to=A)
LATE_TWO = BlobWork(descriptor=LATE, sources=(), images=("two",), upload_to=B)
FOR_TWO = BlobWork(descriptor=OTHER, sources=(), images=("two",), upload_to=B)


def move(board: Board, work: BlobWork) -> None:
    assert board.take() == work
    assert board.done(BlobMoved(work=work, uploaded=1)) == []


def test_what_is_absent_is_given_out_when_it_has_arrived() -> None:
    board = Board([ONE], [LATE_ONE, FOR_ONE], {LATE.digest})
    move(board, FOR_ONE)
    board.arrived(LATE.digest)
    move(board, LATE_ONE)
    assert board.take() == ONE
    board.done(None)
    assert board.take() is None


def test_what_has_arrived_goes_before_what_could_go_all_the_time() -> None:
    board = Board([ONE, TWO], [LATE_ONE, FOR_TWO], {LATE.digest})
    board.arrived(LATE.digest)
    move(board, LATE_ONE)
    assert board.take() == ONE


def test_a_worker_waits_for_what_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = threading.Event()

    class Telling(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    monkeypatch.setattr(threading, "Condition", Telling)
    board = Board([ONE], [LATE_ONE], {LATE.digest})
    monkeypatch.undo()
    taken: list[BlobWork | ImageTree | None] = []
    worker = threading.Thread(target=lambda: taken.append(board.take()))
    worker.start()
    await_that(lambda: waits.is_set() or not worker.is_alive())
    board.arrived(LATE.digest)
    worker.join(PATIENCE)
    assert taken == [LATE_ONE]


def test_what_is_lost_gives_up_every_image_that_needs_it_and_what_is_theirs() -> None:
    board = Board([ONE, TWO], [LATE_ONE, LATE_TWO, FOR_TWO], {LATE.digest})
    assert board.lost(LATE.digest) == ["one", "two"]
    assert board.take() is None


def test_what_is_lost_leaves_the_other_images() -> None:
    board = Board([ONE, TWO], [LATE_ONE, FOR_ONE, FOR_TWO], {LATE.digest})
    assert board.lost(LATE.digest) == ["one"]
    move(board, FOR_TWO)
    assert board.take() == TWO
    board.done(None)
    assert board.take() is None


def test_an_image_that_lacks_two_blobs_is_given_up_once() -> None:
    late_as_well = BlobWork(descriptor=OTHER, sources=(), images=("one",), upload_to=A)
    board = Board([ONE], [LATE_ONE, late_as_well], {LATE.digest, OTHER.digest})
    assert board.lost(LATE.digest) == ["one"]
    assert board.lost(OTHER.digest) == []


def test_what_arrives_for_an_image_that_was_given_up_is_not_sent() -> None:
    late_as_well = BlobWork(descriptor=OTHER, sources=(), images=("one",), upload_to=A)
    board = Board([ONE], [LATE_ONE, late_as_well], {LATE.digest, OTHER.digest})
    board.lost(LATE.digest)
    board.arrived(OTHER.digest)
    assert board.take() is None


class Counting(NullProgress):
    """A display's counts."""

    def __init__(self) -> None:
        self.tally = Tally()

    def advance(self, digest: str, count: int) -> None:
        self.tally.advance(digest, count)

    def blob_done(self, digest: str) -> None:
        self.tally.blob_done(digest)


def test_downloads_count_in_all_and_not_as_an_image_s() -> None:
    listener, blob = Counting(), str(HERE.digest)
    listener.tally.plan(
        (ImagePlan(name="one", blobs=(blob,), size=500),),
        (BlobPlan(digest=blob, size=500), *Fetching.plans([HERE])),
    )
    fetching = Fetching(listener)
    fetching.advance(blob, 100)
    assert (listener.tally.total().done, listener.tally.total().size) == (100, 1000)
    fetching.blob_done(blob)
    assert listener.tally.total().done == 500
    (row,) = listener.tally.rows()
    assert (row.done, row.size, row.blobs_done, row.blobs) == (0, 500, 0, 1)
