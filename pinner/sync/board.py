"""The board: which worker takes which part of which blob next.

One lock around plain data; no I/O. To take or leave something looks only at blobs under way, so it
costs the same however many there are. Blobs are begun largest first, each by one worker, which
stays with its blob so that bytes arrive in order and are hashed as they come. When no blob is left
to begin, idle workers help: they take further parts of the blob with the most left, where its own
worker would need long for it (on a fast path, bytes out of order cost more than they save). A part
is a closed range; its length follows what is left for each worker (guided self-scheduling), so
there are few requests at first and no long tail at the end. On a fast path a part is never so short
that it is over in a moment: every request costs both sides the same, however little it brings.
"""

from __future__ import annotations

import contextlib
import enum
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.clock import Clock
    from pinner.oci.reference import Repository
    from pinner.store.ingest import Ingest
    from pinner.sync.plan import BlobNeed

_MIB: Final = 1024 * 1024
SMALLEST_PART: Final = 8 * _MIB
LARGEST_PART: Final = 64 * _MIB
_NAP: Final = 0.1
_LONG: Final = 0.5
_MOMENT: Final = 0.25
_FIRST_LOOK: Final = 0.1
_NEXT_LOOK: Final = 0.05


class State(enum.Enum):
    """Where a blob stands."""

    WAITING = enum.auto()
    OPEN = enum.auto()
    ENDED = enum.auto()


class Release(enum.Enum):
    """What a worker that leaves a blob has to do.

    COMMIT: nothing is missing any more, and nobody else is at it: verify and publish it.
    CLOSE: the blob was given up, and nobody else is at it: let go of its ingest.
    """

    MORE = enum.auto()
    COMMIT = enum.auto()
    CLOSE = enum.auto()


@dataclass(slots=True, eq=False)
class Job:
    """One blob on the board. Fields change under the board's lock, or by its only worker.

    Attributes:
        gaps: parts that no worker has taken, in order.
        begun: when it was opened, and how many bytes were here then.
        workers: how many are at work on it.
        whole: one plain request for everything, since ranges do not work there.
        not_before: when a blob that another process fetches is looked at again.
        repository: which of the need's repositories is asked now.
        sources: who sent bytes of it.
        avoid: sources that failed or lied for this blob.
        attempts: failures since the last real progress.
        mismatches: how often the complete blob hashed to another digest.
    """

    need: BlobNeed
    state: State = State.WAITING
    ingest: Ingest | None = None
    gaps: list[tuple[int, int]] = field(default_factory=list)
    begun: tuple[float, int] = (0.0, 0)
    workers: int = 0
    whole: bool = False
    not_before: float = 0.0
    repository_index: int = 0
    sources: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    attempts: int = 0
    mismatches: int = 0

    @property
    def size(self) -> int:
        """Bytes of the whole blob."""
        return self.need.descriptor.size

    @property
    def repository(self) -> Repository:
        """Where it is asked for now."""
        return self.need.repositories[self.repository_index]

    @property
    def left(self) -> int:
        """Bytes that no worker has taken yet, of an open blob."""
        return sum(end - start for start, end in self.gaps)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes [start, end) of a blob, taken by one worker.

    Attributes:
        repository_index: which of the need's repositories is asked for it; the job may have moved
            on to the next meanwhile.
        taken: when.
    """

    job: Job
    start: int
    end: int
    repository_index: int = 0
    taken: float = 0.0

    @property
    def repository(self) -> Repository:
        """Where it is asked for."""
        return self.job.need.repositories[self.repository_index]

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the blob, to be asked for without a range."""
        return self.start == 0 and self.end == self.job.size


class Board:
    """Hands out work to the workers of one run."""

    def __init__(self, needs: Iterable[BlobNeed], *, workers: int, clock: Clock) -> None:
        self._fresh = deque(Job(need=need) for need in needs)  # nobody began these yet
        self._later: list[Job] = []  # postponed
        self._open: dict[Job, None] = {}
        self._unfinished = len(self._fresh)
        self._unopened = sum(job.size for job in self._fresh)  # bytes of blobs that are not open
        self._workers = workers
        self._clock = clock
        self._changed = threading.Condition()
        self._unranged: set[str] = set()
        self._stopped = False
        self._moved = 0
        self._spent = 0.0

    @property
    def stopped(self) -> bool:
        """Whether workers shall lay down what they do."""
        return self._stopped

    def stop(self) -> None:
        """Hand out nothing more; parts under way are given up at their next chunk."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def take(self, prefer: Job | None = None) -> Job | Part | None:
        """The next work: a blob to begin, or a part to fetch; None when all is done or stopped.

        Blocks while everything that is left is in other hands.
        """
        with self._changed:
            while not self._stopped:
                work = self._next(prefer)
                if work is not None:
                    return work
                if not self._unfinished:
                    return None
                self._changed.wait(self._until_next_look())
            return None

    def opened(self, job: Job, ingest: Ingest, gaps: Iterable[tuple[int, int]]) -> Release:
        """The ingest is held; what is missing may be taken."""
        with self._changed:
            job.ingest = ingest
            job.gaps = list(gaps)
            job.begun = self._clock.monotonic(), ingest.received
            job.whole = job.repository.registry in self._unranged
            job.state = State.OPEN
            self._unopened -= job.size
            self._open[job] = None
            return self._leave(job)

    def postpone(self, job: Job, seconds: float) -> None:
        """Look at the blob again later."""
        with self._changed:
            job.not_before = self._clock.monotonic() + seconds
            job.workers -= 1
            self._later.append(job)
            self._changed.notify_all()

    def release(self, part: Part, reached: int) -> Release:
        """The worker is done with its part, having got the bytes up to `reached`."""
        with self._changed:
            self._moved += reached - part.start
            self._spent += self._clock.monotonic() - part.taken
            if reached < part.end and part.job.state is State.OPEN:
                part.job.gaps.insert(0, (reached, part.end))
                part.job.gaps.sort()
            return self._leave(part.job)

    def claim_whole(self, part: Part) -> bool:
        """The server ignored the range and sends everything from the start.

        From now on this registry is not asked for ranges. If no other worker is at this blob the
        caller may go on with the stream for all of it (True); else its part goes back.
        """
        with self._changed:
            job = part.job
            self.refuse_ranges(job)
            if job.workers > 1:
                return False
            job.gaps.clear()
            return True

    def refuse_ranges(self, job: Job) -> None:
        """Ask this registry for whole blobs only, after its first anomaly."""
        with self._changed:
            self._unranged.add(job.repository.registry)
            job.whole = True

    def leave_repository(self, part: Part) -> None:
        """Ask the next repository from now on, unless another worker saw to that already."""
        with self._changed:
            if part.job.repository_index == part.repository_index:
                part.job.repository_index += 1
                part.job.attempts = 0

    def end(self, job: Job) -> None:
        """The blob is in the store, or given up; workers still at it leave at their next chunk."""
        with self._changed:
            if job.state is State.WAITING:
                self._unopened -= job.size
            self._open.pop(job, None)
            self._unfinished -= job.state is not State.ENDED
            job.state = State.ENDED
            job.gaps.clear()
            self._changed.notify_all()

    def start_over(self, job: Job) -> None:
        """The complete blob was a wrong one and is gone; fetch it again from the first byte."""
        with self._changed:
            job.gaps = [(0, job.size)]
            job.workers -= 1
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait before a next attempt, but not beyond the end of the run."""
        until = self._clock.monotonic() + seconds
        while not self._stopped and (left := until - self._clock.monotonic()) > 0:
            self._clock.sleep(min(left, _NAP))

    def close(self) -> None:
        """Let go of what no worker is at; call after `stop`, when the workers had their moment."""
        with self._changed:
            idle = [job for job in self._open if not job.workers]
        for job in idle:
            if job.ingest is not None:
                # The run has failed or was interrupted, and says why: not this as well.
                with contextlib.suppress(StoreError):
                    job.ingest.close()

    def drop(self, job: Job) -> None:
        """A worker that failed leaves its blob as it is, for `close` to let go of."""
        with self._changed:
            job.workers = max(job.workers - 1, 0)
            self._stopped = True
            self._changed.notify_all()

    def _leave(self, job: Job) -> Release:
        job.workers -= 1
        self._changed.notify_all()
        if job.workers:
            return Release.MORE
        if job.state is State.ENDED:
            return Release.CLOSE
        if job.gaps:
            return Release.MORE
        job.workers = 1  # the committer is at it until `end` or `start_over`
        return Release.COMMIT

    def _next(self, prefer: Job | None) -> Job | Part | None:
        now = self._clock.monotonic()
        if prefer is not None and self._can_help(prefer):
            return self._carve(prefer, now)
        job = self._to_begin(now)
        if job is not None:
            job.workers += 1
            return job
        waiting = (job for job in self._open if self._can_help(job) and self._pays(job, now))
        most = max(waiting, key=lambda job: job.left, default=None)
        return None if most is None else self._carve(most, now)

    def _to_begin(self, now: float) -> Job | None:
        """A blob that was put off long enough, else the next one."""
        for number, job in enumerate(self._later):
            if job.not_before <= now:
                return self._later.pop(number)
        return self._fresh.popleft() if self._fresh else None

    def _pays(self, job: Job, now: float) -> bool:
        """Whether the workers that are at a blob would need long for what they have not begun."""
        if not job.workers or job.ingest is None:
            return True
        since, before = job.begun
        elapsed, arrived = now - since, job.ingest.received - before
        return elapsed >= _FIRST_LOOK and job.left * elapsed > _LONG * arrived

    def _can_help(self, job: Job) -> bool:
        if job.state is not State.OPEN or not job.gaps:
            return False
        return not (job.whole and job.workers)

    def _carve(self, job: Job, now: float) -> Part:
        job.workers += 1
        if job.whole:
            job.gaps.clear()
            return Part(job, 0, job.size, job.repository_index, now)
        start, end = job.gaps[0]
        length = self._part_length()
        # A remainder smaller than half a part is not worth a request of its own.
        cut = end if end - start < length + length // 2 else start + length
        if cut == end:
            del job.gaps[0]
        else:
            job.gaps[0] = (cut, end)
        return Part(job, start, cut, job.repository_index, now)

    def _part_length(self) -> int:
        left = self._unopened + sum(job.left for job in self._open)
        in_a_moment = int(self._moved / self._spent * _MOMENT) if self._spent else 0
        return min(max(left // self._workers, SMALLEST_PART, in_a_moment), LARGEST_PART)

    def _until_next_look(self) -> float | None:
        if any(map(self._can_help, self._open)):
            return _NEXT_LOOK
        looks = [job.not_before for job in self._later]
        if not looks:
            return None
        return max(min(looks) - self._clock.monotonic(), 0.01)
