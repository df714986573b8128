"""What follows when a part of a blob does not arrive."""

from __future__ import annotations

import pytest

from pinner.errors import (
    AccessDenied,
    IntegrityError,
    NotFound,
    PinnerError,
    ProtocolError,
    RateLimited,
    Unavailable,
)
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.sync.board import Job, Part
from pinner.sync.plan import BlobNeed
from pinner.sync.recovery import (
    ATTEMPTS,
    REAL_PROGRESS,
    GiveUp,
    TryAgain,
    after_failure,
    after_mismatch,
)

SIZE = 100_000_000


def part(*, repositories: int = 1, attempts: int = 0, whole: bool = True) -> Part:
    need = BlobNeed(
        descriptor=Descriptor(media_type="x/y", digest=Digest.of(b""), size=SIZE),
        repositories=tuple(
            Reference.parse(f"registry.example/repo{number}").repository
            for number in range(repositories)
        ),
        images=("app",),
    )
    return Part(Job(need=need, attempts=attempts), 0, SIZE if whole else 10)


@pytest.mark.parametrize(
    ("error", "given", "expected"),
    [
        pytest.param(Unavailable("cut"), part(), TryAgain(delay=0.2), id="first cut: soon"),
        pytest.param(
            Unavailable("cut"), part(attempts=2), TryAgain(delay=0.8), id="later cuts: later"
        ),
        pytest.param(
            NotFound("gone"),
            part(repositories=2),
            TryAgain(next_repository=True),
            id="gone here: the other repository",
        ),
        pytest.param(
            AccessDenied("no"),
            part(repositories=2),
            TryAgain(next_repository=True),
            id="refused here: the other repository",
        ),
        pytest.param(
            Unavailable("cut"),
            part(repositories=2, attempts=ATTEMPTS),
            TryAgain(next_repository=True),
            id="always cut here: the other repository",
        ),
        pytest.param(
            IntegrityError("more"), part(), TryAgain(delay=0.2), id="B05, a mirror's perhaps: again"
        ),
        pytest.param(
            IntegrityError("more"),
            part(repositories=2, attempts=ATTEMPTS),
            TryAgain(next_repository=True),
            id="B13, always too long here: the other repository",
        ),
        pytest.param(
            ProtocolError("Content-Range"),
            part(whole=False),
            TryAgain(refuse_ranges=True),
            id="bungled range: whole blobs from now on",
        ),
    ],
)
def test_it_is_tried_again(error: PinnerError, given: Part, expected: TryAgain) -> None:
    assert after_failure(given, error, opened=True, progress=0) == expected


@pytest.mark.parametrize(
    ("error", "given"),
    [
        pytest.param(NotFound("gone"), part(), id="gone everywhere"),
        pytest.param(AccessDenied("no"), part(), id="refused everywhere"),
        pytest.param(Unavailable("cut"), part(attempts=ATTEMPTS - 1), id="cut too often"),
        pytest.param(ProtocolError("nonsense"), part(), id="nonsense for a plain request"),
        pytest.param(RateLimited("slow"), part(), id="rate limited for long"),
        pytest.param(IntegrityError("more"), part(attempts=ATTEMPTS - 1), id="B05"),
    ],
)
def test_it_is_given_up_with_its_error(error: PinnerError, given: Part) -> None:
    assert after_failure(given, error, opened=True, progress=0) == GiveUp(error=error)


def test_what_another_worker_met_first_is_asked_for_where_it_looks_now() -> None:
    late = part(repositories=2)
    late.job.repository_index = 1
    assert after_failure(late, NotFound("gone"), opened=False, progress=0) == TryAgain()


def test_a_request_that_got_no_stream_is_not_repeated_here() -> None:
    error = Unavailable("refused")
    assert after_failure(part(), error, opened=False, progress=0) == GiveUp(error=error)


def test_real_progress_starts_the_count_over() -> None:
    verdict = after_failure(
        part(attempts=ATTEMPTS - 1), Unavailable("cut"), opened=True, progress=REAL_PROGRESS
    )
    assert verdict == TryAgain(delay=0.2)


@pytest.mark.parametrize(
    ("repositories", "asked_elsewhere"),
    [(1, [False]), (2, [False, True]), (9, [False, True, True])],
)
def test_B13_a_wrong_blob_is_asked_for_once_more_and_then_elsewhere(
    repositories: int, asked_elsewhere: list[bool]
) -> None:
    error = IntegrityError("other bytes")
    wrong = part(repositories=repositories)
    for elsewhere in asked_elsewhere:
        wrong.job.mismatches += 1
        assert after_mismatch(wrong.job, error) == TryAgain(next_repository=elsewhere)
        wrong.job.repository_index += elsewhere
    wrong.job.mismatches += 1
    assert after_mismatch(wrong.job, error) == GiveUp(error=error)
