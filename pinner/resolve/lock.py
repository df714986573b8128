"""Locking every entry of a spec: which pins are kept, and what a failure leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import PinnerError
from pinner.freshness import staleness
from pinner.lockfile import Lock
from pinner.outcome import Failed
from pinner.resolve.entry import EntryResolver
from pinner.resolve.model import Added, Changed, Kept, LockOutcome, LockResult, Removed
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.freshness import Kind
    from pinner.lockfile import LockedImage
    from pinner.resolve.entry import LockSource
    from pinner.spec import Spec, SpecEntry


def lock_images(
    spec: Spec,
    previous: Lock | None,
    open_source: Callable[[], LockSource],
    *,
    jobs: int,
) -> LockResult:
    """Lock every entry of the spec, keeping each pin that still satisfies it.

    Args:
        spec: what is wanted.
        previous: what is locked; None where there is no lockfile yet.
        open_source: opens the registry; called at most once, and only if something is asked.
        jobs: how many entries are resolved at once.

    Returns:
        The new lock and the outcome of each entry. Failures are outcomes, never raised.
    """
    pins = {image.name: image for image in previous.images} if previous else {}
    stale = stale_kinds(spec, previous)
    todo = [entry for entry in spec.entries if entry.name in stale]
    resolved: dict[str, LockedImage | PinnerError] = {}
    if todo:
        resolver = EntryResolver(open_source())

        def lock_entry(entry: SpecEntry) -> LockedImage:
            return resolver.lock(entry, pins.get(entry.name), stale[entry.name])

        answers = map_concurrently(lock_entry, todo, jobs=jobs)
        resolved = {entry.name: answer for entry, answer in zip(todo, answers, strict=True)}
    outcomes = [_outcome(entry.name, pins, resolved) for entry in spec.entries]
    wanted = {entry.name for entry in spec.entries}
    outcomes += [
        Removed(name=name, before=pins[name]) for name in sorted(pins) if name not in wanted
    ]
    return LockResult(lock=_whole(outcomes), outcomes=tuple(outcomes))


def stale_kinds(spec: Spec, previous: Lock | None) -> dict[str, set[Kind]]:
    """In which respects each pin is stale, by name; fresh ones are left out."""
    stale: dict[str, set[Kind]] = {}
    for finding in staleness(spec, previous or Lock(images=())):
        stale.setdefault(finding.name, set()).add(finding.kind)
    return stale


def _outcome(
    name: str, pins: Mapping[str, LockedImage], resolved: Mapping[str, LockedImage | PinnerError]
) -> LockOutcome:
    match resolved.get(name):
        case None:
            return Kept(name=name, image=pins[name])
        case PinnerError() as error:
            return Failed(name=name, error=error)
        case image if name not in pins:
            return Added(name=name, image=image)
        case image:
            return Changed(name=name, before=pins[name], image=image)


def _whole(outcomes: list[LockOutcome]) -> Lock | None:
    if any(isinstance(outcome, Failed) for outcome in outcomes):
        return None
    images = [outcome.image for outcome in outcomes if isinstance(outcome, Added | Changed | Kept)]
    return Lock(images=tuple(sorted(images, key=lambda image: image.name)))
