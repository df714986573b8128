"""The board hands every byte of every blob to exactly one worker, in a useful order."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.sync.board import LARGEST_PART, SMALLEST_PART, Board, Job, Part, Release, State
from pinner.sync.plan import BlobNeed
from support.clock import FakeClock

if TYPE_CHECKING:
    from pinner.store.ingest import Ingest

MIB = 1024 * 1024


class FakeIngest:
    """All that the board asks of an ingest."""

    def __init__(self) -> None:
        self.received = 0


def need(size: int, *, repository: str = "registry.example/team/app") -> BlobNeed:
    descriptor = Descriptor(
        media_type="application/vnd.oci.image.layer.v1.tar+gzip",
        digest=Digest.of(f"{repository} {size}".encode()),
        size=size,
    )
    return BlobNeed(
        descriptor=descriptor,
        repositories=(Reference.parse(repository).repository,),
        images=("app",),
    )


def board_of(*needs: BlobNeed, workers: int = 4, seconds: float = 1.0) -> Board:
    """A board on whose clock that long passes with each look."""
    return Board(needs, workers=workers, clock=FakeClock(tick=seconds))


def begin(board: Board, *, gaps: list[tuple[int, int]] | None = None) -> tuple[Job, Release]:
    job = board.take()
    assert isinstance(job, Job)
    ingest: Ingest = FakeIngest()  # type: ignore[assignment]
    return job, board.opened(job, ingest, [(0, job.size)] if gaps is None else gaps)


class Watched:
    """A need that counts how often it is looked at."""

    def __init__(self, inner: BlobNeed) -> None:
        self.looks = 0
        self.repositories = inner.repositories
        self._inner = inner

    @property
    def descriptor(self) -> Descriptor:
        self.looks += 1
        return self._inner.descriptor


def part_of(board: Board, prefer: Job | None = None) -> Part:
    part = board.take(prefer)
    assert isinstance(part, Part)
    return part


def test_blobs_are_begun_in_the_order_given() -> None:
    board = board_of(need(300), need(200), need(100))
    assert [begin(board)[0].size for _ in range(3)] == [300, 200, 100]


def test_a_worker_stays_with_its_blob() -> None:
    board = board_of(need(100 * MIB), need(90 * MIB))
    first, _ = begin(board)
    part = part_of(board, prefer=first)
    assert (part.job, part.start) == (first, 0)


def test_an_idle_worker_helps_where_most_is_left() -> None:
    board = board_of(need(100 * MIB), need(90 * MIB))
    first, _ = begin(board)
    second, _ = begin(board)
    part_of(board, prefer=first)
    taken = part_of(board, prefer=second)
    most = max((first, second), key=lambda job: job.left)
    assert taken.job is second
    assert part_of(board).job is most


@pytest.mark.parametrize(
    ("arrived", "helped"),
    [pytest.param(90 * MIB, False, id="fast"), pytest.param(MIB, True, id="slow")],
)
def test_help_comes_where_the_rest_would_take_long(arrived: int, helped: bool) -> None:  # noqa: FBT001
    board = board_of(need(100 * MIB), need(10), seconds=0.05)
    job, _ = begin(board)
    part_of(board, prefer=job)
    small, _ = begin(board)
    cast("FakeIngest", job.ingest).received = arrived
    work = board.take()
    assert isinstance(work, Part)
    assert (work.job is job) is helped
    assert small is not job


def test_a_small_blob_is_one_plain_request() -> None:
    board = board_of(need(SMALLEST_PART))
    job, _ = begin(board)
    assert part_of(board, prefer=job).is_whole


def test_a_part_is_a_workers_share_of_what_is_left() -> None:
    board = board_of(need(128 * MIB), workers=4)
    job, _ = begin(board)
    parts = [part_of(board, prefer=job) for _ in range(3)]
    assert [part.end - part.start for part in parts] == [32 * MIB, 24 * MIB, 18 * MIB]


def test_parts_are_never_larger_than_the_largest_and_a_half() -> None:
    board = board_of(need(10 * 1024 * MIB), workers=1)
    job, _ = begin(board)
    part = part_of(board, prefer=job)
    assert part.end - part.start == LARGEST_PART


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(10, SMALLEST_PART, id="slow"),
        pytest.param(1, 16 * MIB, id="a quarter of a second of what came in one"),
        pytest.param(0.01, LARGEST_PART, id="never too large"),
    ],
)
def test_parts_are_not_over_in_a_moment(seconds: float, expected: int) -> None:
    clock = FakeClock()
    board = Board([need(64 * MIB), need(200 * MIB)], workers=64, clock=clock)
    first, _ = begin(board, gaps=[(0, 64 * MIB)])
    while first.gaps:
        part = part_of(board, prefer=first)
        clock.sleep(seconds * (part.end - part.start) / (64 * MIB))
        board.release(part, part.end)
    second, _ = begin(board)
    part = part_of(board, prefer=second)
    assert part.end - part.start == expected


def test_nothing_missing_means_commit_at_once() -> None:
    _, release = begin(board_of(need(0)), gaps=[])
    assert release is Release.COMMIT


def test_the_last_worker_of_a_complete_blob_commits() -> None:
    board = board_of(need(64 * MIB), workers=4)
    job, _ = begin(board)
    parts = []
    while job.gaps:
        parts.append(part_of(board, prefer=job))
    releases = [board.release(part, part.end) for part in parts]
    assert releases == [Release.MORE] * (len(parts) - 1) + [Release.COMMIT]


def test_what_did_not_arrive_is_handed_out_again() -> None:
    board = board_of(need(MIB))
    job, _ = begin(board)
    part = part_of(board, prefer=job)
    assert board.release(part, 100) is Release.MORE
    again = part_of(board)
    assert (again.start, again.end) == (100, MIB)


def test_without_ranges_one_worker_takes_everything_from_the_start() -> None:
    board = board_of(need(100 * MIB))
    job, _ = begin(board)
    part = part_of(board, prefer=job)
    board.refuse_ranges(job)
    board.release(part, 5)
    whole = part_of(board)
    assert whole.is_whole
    assert not job.gaps


def test_a_registry_that_refused_ranges_is_not_asked_for_them_by_the_next_blob() -> None:
    board = board_of(need(100 * MIB), need(90 * MIB))
    first, _ = begin(board)
    board.refuse_ranges(first)
    second, _ = begin(board)
    assert part_of(board, prefer=second).is_whole


@pytest.mark.parametrize(("helpers", "claimed"), [(0, True), (1, False)])
def test_a_stream_of_everything_is_used_by_a_lone_worker_only(helpers: int, claimed: bool) -> None:  # noqa: FBT001
    board = board_of(need(100 * MIB))
    job, _ = begin(board)
    part = part_of(board, prefer=job)
    for _ in range(helpers):
        part_of(board)
    assert board.claim_whole(part) is claimed


def test_a_blob_given_up_is_closed_by_its_last_worker() -> None:
    board = board_of(need(100 * MIB))
    job, _ = begin(board)
    parts = [part_of(board, prefer=job), part_of(board)]
    board.end(job)
    assert [board.release(part, part.start) for part in parts] == [Release.MORE, Release.CLOSE]
    assert board.take() is None


def test_a_postponed_blob_waits_for_its_time() -> None:
    clock = FakeClock()
    board = Board([need(10)], workers=1, clock=clock)
    job = board.take()
    assert isinstance(job, Job)
    board.postpone(job, 5)
    clock.sleep(6)
    assert board.take() is job


def test_a_stopped_board_hands_out_nothing() -> None:
    board = board_of(need(10))
    board.stop()
    assert board.take() is None


@given(
    sizes=st.lists(st.integers(0, 300 * MIB), min_size=1, max_size=6),
    workers=st.integers(1, 9),
    cuts=st.lists(st.floats(0, 1), max_size=20),
)
def test_every_byte_is_fetched_exactly_once(
    sizes: list[int], workers: int, cuts: list[float]
) -> None:
    """One worker after another takes a part; some parts are cut off and go on later."""
    board = board_of(*(need(size) for size in sizes), workers=workers)
    received: dict[Job, list[tuple[int, int]]] = {}
    committed: list[Job] = []

    def leave(job: Job, release: Release) -> None:
        if release is Release.COMMIT:
            committed.append(job)
            board.end(job)

    while (work := board.take()) is not None:
        if isinstance(work, Job):
            ingest: Ingest = FakeIngest()  # type: ignore[assignment]
            gaps = [(0, work.size)] if work.size else []
            leave(work, board.opened(work, ingest, gaps))
            continue
        share = cuts.pop() if cuts else 1.0
        reached = work.start + int((work.end - work.start) * share)
        if reached > work.start:
            received.setdefault(work.job, []).append((work.start, reached))
        leave(work.job, board.release(work, reached))

    assert len(committed) == len(sizes)
    for job in committed:
        extents = sorted(received.get(job, []))
        assert sum(end - start for start, end in extents) == job.size
        assert all(a[1] == b[0] for a, b in itertools.pairwise(extents))
        assert job.state is State.ENDED


def test_two_workers_that_find_a_repository_wanting_leave_it_once() -> None:
    board = board_of(need(4 * SMALLEST_PART))
    job, _ = begin(board)
    parts = [part_of(board), part_of(board)]
    for part in parts:
        board.leave_repository(part)
    assert job.repository_index == 1


def test_blobs_that_are_not_begun_cost_nothing() -> None:
    """A run of 100,000 blobs must not look at each of them whenever a worker takes one."""
    watched = [Watched(need(100)) for _ in range(50)]
    board = board_of(*cast("list[BlobNeed]", watched))
    before = [one.looks for one in watched[20:]]
    for _ in range(20):
        job, _ = begin(board)
        assert board.release(part_of(board, prefer=job), 100) is Release.COMMIT
        board.end(job)
    assert [one.looks for one in watched[20:]] == before


def test_a_blob_that_is_given_up_unopened_counts_no_more() -> None:
    """Else parts would be too long for the rest."""
    board = board_of(need(10_000 * MIB), need(128 * MIB), workers=4)
    present = board.take()
    assert isinstance(present, Job)
    board.end(present)
    job, _ = begin(board)
    part = part_of(board, prefer=job)
    assert part.end - part.start == 32 * MIB


def test_a_postponed_blob_comes_before_new_ones() -> None:
    board = board_of(need(300), need(200), seconds=1.0)
    job = board.take()
    assert isinstance(job, Job)
    board.postpone(job, 0.5)
    assert board.take() is job
