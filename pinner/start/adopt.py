"""The lock that keeps what other tools pinned: their digests are asked for, never their tags.

A pinned digest is put before `lock_images` as a pin without platforms. Only the platforms are wrong
with that, so the registry is asked for exactly this digest (one manifest each), and nothing moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import FileProblems, NotFound, Problem
from pinner.lockfile import Lock, LockedImage
from pinner.outcome import Failed
from pinner.resolve import Added, Changed, LockResult, lock_images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pinner.oci.digest import Digest
    from pinner.resolve import LockOutcome, LockSource
    from pinner.spec import Spec
    from pinner.start.model import Proposal


def pins_of(proposals: Sequence[Proposal]) -> dict[str, Digest]:
    """The one digest that each entry is pinned to, by name; none for those that are not.

    Raises:
        FileProblems: an entry is pinned to several.
    """
    problems = tuple(
        Problem(
            where=where,
            what=f"{proposal.reference.familiar()} is pinned to {digest.short} here, and to "
            f"{proposal.pins[0][0].short} in {proposal.pins[0][1]}",
        )
        for proposal in proposals
        for digest, where in proposal.pins[1:]
    )
    if problems:
        mend = "make them one, or `--no-lock` writes images.toml alone, without these digests"
        raise FileProblems(problems, mend=mend)
    return {proposal.name: proposal.pins[0][0] for proposal in proposals if proposal.pins}


def adopt(
    spec: Spec,
    pins: Mapping[str, Digest],
    open_source: Callable[[], LockSource],
    *,
    jobs: int,
    skip_gone: bool = False,
) -> LockResult:
    """Lock a spec to the digests that its entries are pinned to; the others by their tags.

    Args:
        spec: the entries.
        pins: digests by name.
        open_source: as `lock_images` has it.
        jobs: as `lock_images` has it.
        skip_gone: leave out of the lock what the registry no longer has, instead of failing.

    Returns:
        As `lock_images` does; what is locked counts as added.
    """
    before = Lock(
        images=tuple(
            LockedImage(
                name=entry.name,
                repository=entry.repository,
                tag=entry.tag,
                digest=pins[entry.name],
                platforms={},
            )
            for entry in spec.entries
            if entry.name in pins
        )
    )
    result = lock_images(spec, before, open_source, jobs=jobs)
    outcomes = tuple(_outcome(outcome) for outcome in result.outcomes)
    lock = result.lock
    if skip_gone and not any(map(_is_fatal, outcomes)):
        lock = Lock(images=tuple(one.image for one in outcomes if isinstance(one, Added)))
    return LockResult(lock=lock, outcomes=outcomes)


def is_gone(outcome: LockOutcome) -> bool:
    """Whether the registry no longer has it."""
    return isinstance(outcome, Failed) and isinstance(outcome.error, NotFound)


def _is_fatal(outcome: LockOutcome) -> bool:
    return isinstance(outcome, Failed) and not is_gone(outcome)


def _outcome(outcome: LockOutcome) -> LockOutcome:
    match outcome:
        case Changed(name=name, image=image):
            return Added(name=name, image=image)
        case Failed(name=name, error=NotFound() as error):
            mend = "`--skip-gone` leaves its pin out: `pinner lock` then takes what its tag names"
            return Failed(name=name, error=NotFound(error.what, where=error.where, mend=mend))
        case _:
            return outcome
