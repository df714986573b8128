"""What to do when a part of a blob did not arrive (pure decisions over a job's history).

A body that broke off is continued where it stopped; real progress makes the count start over. A
repository that does not deliver the blob is left for another that has it too. The rest is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError, PinnerError, ProtocolError, RegistryError, Unavailable

if TYPE_CHECKING:
    from pinner.sync.board import Job, Part

ATTEMPTS: Final = 5
MISMATCHES: Final = 4
REAL_PROGRESS: Final = 64 * 1024
_FIRST_DELAY: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """Ask again after `delay` seconds.

    Attributes:
        next_repository: ask another repository that has the blob.
        refuse_ranges: ask this registry for whole blobs only from now on.
    """

    delay: float = 0.0
    next_repository: bool = False
    refuse_ranges: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """The blob cannot be had."""

    error: PinnerError


def count_attempts(before: int, *, progress: int) -> int:
    """How often a blob failed in a row, this time included, since it last made real progress."""
    return 1 if progress >= REAL_PROGRESS else before + 1


def after_failure(
    part: Part, error: PinnerError, *, opened: bool, progress: int
) -> TryAgain | GiveUp:
    """Decide on a part that failed.

    Args:
        part: what was asked for.
        error: why it did not arrive.
        opened: whether bytes were on their way; a request that got no stream at all was tried
            again often enough where requests are made.
        progress: bytes that arrived before the failure and had not been here.
    """
    job = part.job
    if part.repository_index < job.repository_index:
        return TryAgain()  # another worker's part met this first
    if isinstance(error, ProtocolError) and not part.is_whole:
        return TryAgain(refuse_ranges=True)
    attempts = count_attempts(job.attempts, progress=progress)
    if opened and attempts < ATTEMPTS and isinstance(error, Unavailable | IntegrityError):
        return TryAgain(delay=_FIRST_DELAY * 2 ** (attempts - 1))
    if isinstance(error, RegistryError | IntegrityError) and _has_next_repository(job):
        return TryAgain(next_repository=True)
    return GiveUp(error=error)


def after_mismatch(job: Job, error: IntegrityError) -> TryAgain | GiveUp:
    """Decide on a complete blob that hashes to another digest, for the `job.mismatches`th time.

    The repository that it came from is asked once more, its lying mirrors left out; then others
    that have it, of which one may be on an honest registry.
    """
    if job.mismatches <= 1:
        return TryAgain()
    if job.mismatches < MISMATCHES and _has_next_repository(job):
        return TryAgain(next_repository=True)
    return GiveUp(error=error)


def _has_next_repository(job: Job) -> bool:
    return job.repository_index + 1 < len(job.need.repositories)
