"""A worker's side of a sync: begin a blob, fetch parts of it, commit it.

    Board -> Part -> registry stream -> Ingest.write (hashed as it comes) -> commit -> Board

Bytes get their final name in the store's ingest alone, after size and digest matched.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError, PinnerError, StoreError
from pinner.store.ingest import Busy, Present
from pinner.sync.board import Job, Release, State
from pinner.sync.recovery import (
    GiveUp,
    TryAgain,
    after_failure,
    after_mismatch,
    count_attempts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pinner.oci.digest import Buffer, Digest
    from pinner.oci.sources import BlobSource, BlobStream
    from pinner.progress import Progress
    from pinner.store.ingest import Ingest
    from pinner.store.layout import Store
    from pinner.sync.board import Board, Part

_LOOK_AGAIN: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobDone:
    """The store holds this blob.

    Attributes:
        fetched: bytes that this run downloaded; None where another process fetched it meanwhile.
    """

    digest: Digest
    fetched: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFailed:
    """This blob cannot be had."""

    digest: Digest
    error: PinnerError


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobWrong:
    """A complete blob hashed to another digest, and is fetched again.

    Attributes:
        sources: who sent it; empty where the fault may be with what an earlier run left.
    """

    digest: Digest
    sources: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed:
    """Nothing more can be fetched: the store failed, or (any other exception) pinner has a bug."""

    error: BaseException


Event = BlobDone | BlobFailed | BlobWrong | RunFailed


class Transfer:
    """Moves blobs from a source into a store, one part at a time; one object for all workers."""

    def __init__(
        self,
        *,
        board: Board,
        store: Store,
        source: BlobSource,
        progress: Progress,
        report: Callable[[Event], None],
    ) -> None:
        self._board = board
        self._store = store
        self._source = source
        self._progress = progress
        self._report = report
        # More threads that hash and write than cores would suspend one another while they hold the
        # interpreter's lock, and all would wait.
        self._cores = threading.Semaphore(os.cpu_count() or 1)

    def work(self) -> None:
        """Take work from the board until there is none; a worker thread's whole life."""
        job: Job | None = None
        try:
            while (work := self._board.take(prefer=job)) is not None:
                if isinstance(work, Job):
                    job = work
                    self._begin(job)
                else:
                    job = work.job
                    self._fetch(work)
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            if job is None:
                self._board.stop()
            else:
                self._board.drop(job)
            self._report(RunFailed(error=error))

    def _begin(self, job: Job) -> None:
        try:
            ingest = self._store.begin(job.need.descriptor.digest, job.size)
        except Present:
            self._finish(job, fetched=None)
        except Busy:
            self._board.postpone(job, _LOOK_AGAIN)
        else:
            self._progress.advance(str(ingest.digest), ingest.received)
            self._leave(job, self._board.opened(job, ingest, ingest.missing()))

    def _fetch(self, part: Part) -> None:
        reception = _Reception(self._board, self._progress, self._cores, part)
        try:
            with self._open(part) as stream:
                reception.receive(stream)
        except StoreError:
            raise
        except PinnerError as error:
            self._recover(reception, error)
        self._leave(part.job, self._board.release(reception.part, reception.reached))

    def _open(self, part: Part) -> BlobStream:
        job = part.job
        if part.is_whole:
            return self._source.open_blob(part.repository, job.need.descriptor, avoid=job.avoid)
        return self._source.open_blob(
            part.repository, job.need.descriptor, start=part.start, end=part.end, avoid=job.avoid
        )

    def _recover(self, reception: _Reception, error: PinnerError) -> None:
        job = reception.part.job
        verdict = after_failure(
            reception.part, error, opened=bool(reception.source), progress=reception.progress
        )
        job.attempts = count_attempts(job.attempts, progress=reception.progress)
        if reception.source:
            job.avoid |= {reception.source}
        match verdict:
            case GiveUp():
                self._give_up(job, verdict.error)
            case TryAgain():
                if verdict.next_repository:
                    self._board.leave_repository(reception.part)
                if verdict.refuse_ranges:
                    self._board.refuse_ranges(job)
                self._board.pause(verdict.delay)

    def _leave(self, job: Job, release: Release) -> None:
        if release is Release.COMMIT:
            self._commit(job)
        elif release is Release.CLOSE and job.ingest is not None:
            job.ingest.close()

    def _commit(self, job: Job) -> None:
        assert job.ingest is not None  # noqa: S101 - an open job holds its ingest
        try:
            job.ingest.commit()
        except IntegrityError as error:
            self._start_over(job, job.ingest, error)
        else:
            kept = 0 if job.mismatches else job.begun[1]
            self._finish(job, fetched=job.size - kept)

    def _start_over(self, job: Job, ingest: Ingest, error: IntegrityError) -> None:
        digest = job.need.descriptor.digest
        # At first the wrong bytes may be those that an earlier run left.
        liars = job.sources if job.mismatches or not ingest.resumed else frozenset()
        job.mismatches += 1
        job.avoid |= liars
        job.sources = frozenset()
        self._progress.advance(str(digest), -job.size)
        verdict = after_mismatch(job, error)
        if isinstance(verdict, GiveUp):
            self._give_up(job, verdict.error)
            ingest.close()
            return
        if verdict.next_repository:
            job.repository_index += 1
        self._report(BlobWrong(digest=digest, sources=liars))
        self._board.start_over(job)

    def _finish(self, job: Job, *, fetched: int | None) -> None:
        digest = job.need.descriptor.digest
        self._board.end(job)
        self._progress.blob_done(str(digest))
        self._report(BlobDone(digest=digest, fetched=fetched))

    def _give_up(self, job: Job, error: PinnerError) -> None:
        if job.state is not State.ENDED:
            self._board.end(job)
            self._report(BlobFailed(digest=job.need.descriptor.digest, error=error))


class _Reception:
    """One part while it arrives.

    Attributes:
        reached: up to where the blob is here.
        progress: bytes that came and were not here before; not those that a server sends anew
            because it ignores ranges.
        source: who sends; "" until somebody does.
    """

    def __init__(
        self, board: Board, progress: Progress, cores: threading.Semaphore, part: Part
    ) -> None:
        self.part = part
        self.reached = part.start
        self.progress = 0
        self.source = ""
        self._board = board
        self._progress = progress
        self._cores = cores

    def receive(self, stream: BlobStream) -> None:
        """Write what arrives until the part is full, the run stops or the blob is given up."""
        job = self.part.job
        self.source = stream.source
        job.sources |= {stream.source}
        if not self.part.is_whole and not stream.ranged:
            if not self._board.claim_whole(self.part):
                return
            self.part = replace(self.part, start=0, end=job.size)
            self.reached = 0
        assert job.ingest is not None  # noqa: S101 - parts are of open jobs
        digest = str(job.need.descriptor.digest)
        wanted = job.ingest.missing() if self.part.is_whole else ((self.part.start, self.part.end),)
        for chunk in stream.chunks():
            if self._board.stopped or job.state is not State.OPEN:
                return
            with self._cores:
                fresh = write_wanted(job.ingest, self.reached, chunk, wanted)
            self.reached += len(chunk)
            self.progress += fresh
            self._progress.advance(digest, fresh)


def write_wanted(
    ingest: Ingest, offset: int, chunk: Buffer, wanted: Iterable[tuple[int, int]]
) -> int:
    """Write the pieces of a chunk that lie within the wanted ranges; the count of bytes written."""
    end = offset + len(chunk)
    written = 0
    for low, high in wanted:
        start, stop = max(low, offset), min(high, end)
        if start >= stop:
            continue
        piece = (
            chunk
            if stop - start == len(chunk)
            else memoryview(chunk)[start - offset : stop - offset]
        )
        ingest.write(start, piece)
        written += stop - start
    return written
