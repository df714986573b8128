"""A whole update: which entries are asked for, concurrently, and the lock that comes of it."""

from __future__ import annotations

import difflib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, PinnerError
from pinner.freshness import Kind
from pinner.lockfile import Lock
from pinner.oci.reference import Reference
from pinner.outcome import Failed
from pinner.resolve import Added, Changed, EntryResolver, Removed, stale_kinds
from pinner.terminal import safe
from pinner.update.entry import EntryUpdater
from pinner.update.model import Pinned, Updated, UpdateResult
from pinner.update.observer import Observer
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from pinner.lockfile import LockedImage
    from pinner.oci.platform import Platform
    from pinner.resolve import LockSource
    from pinner.spec import Spec, SpecEntry
    from pinner.update.model import UpdateOutcome
    from pinner.update.seenlog import SeenLog

_SHOWN: Final = 80


def run_update(
    spec: Spec,
    previous: Lock | None,
    open_source: Callable[[], LockSource],
    *,
    names: Sequence[str] = (),
    minimum_age: timedelta | None = None,
    seen: SeenLog,
    now: float,
    host: Platform,
    jobs: int,
) -> UpdateResult:
    """Ask where tags point now, and move each pin to what is newer and old enough.

    Args:
        spec: what is wanted.
        previous: what is locked; None where there is no lockfile yet.
        open_source: opens the registry; called at most once, and only if something is asked.
        names: the entries to update; empty for all, and then for removing what is not wanted too.
        minimum_age: in place of what spec and entries say; None leaves it to them.
        seen: the observation log of earlier runs.
        now: seconds since the epoch.
        host: the platform whose image tells when it was made, if there is no better evidence.
        jobs: how many entries are asked for at once.

    Returns:
        The new lock and the outcome of each entry. Failures are outcomes: such a pin stays.

    Raises:
        InputError: a name that the spec does not have.
    """
    entries = _chosen(spec, names)
    if minimum_age is not None:
        entries = [replace(entry, minimum_age=minimum_age) for entry in entries]
    pins = {image.name: image for image in previous.images} if previous else {}
    observer = Observer(seen, now)
    run = _Run(open_source, observer, pins, stale_kinds(spec, previous), host=host, now=now)
    outcomes = run.outcomes(entries, jobs=jobs)
    if not names:
        wanted = {entry.name for entry in spec.entries}
        outcomes += [
            Removed(name=name, before=pins[name]) for name in sorted(pins) if name not in wanted
        ]
    return UpdateResult(
        lock=_lock(pins, outcomes),
        outcomes=tuple(outcomes),
        seen=observer.log,
        warnings=tuple(run.warnings[e.name] for e in entries if e.name in run.warnings),
    )


class _Run:
    """The registry of a run, and what is locked."""

    def __init__(
        self,
        open_source: Callable[[], LockSource],
        observer: Observer,
        pins: Mapping[str, LockedImage],
        stale: Mapping[str, set[Kind]],
        *,
        host: Platform,
        now: float,
    ) -> None:
        self.warnings: dict[str, str] = {}
        self._lock = threading.Lock()
        self._open_source = open_source
        self._observer = observer
        self._pins = pins
        self._stale = stale
        self._host = host
        self._now = now

    def outcomes(self, entries: Sequence[SpecEntry], *, jobs: int) -> list[UpdateOutcome]:
        """What becomes of each entry, in their order."""
        todo = [entry for entry in entries if not self._is_settled(entry)]
        answers: dict[str, UpdateOutcome] = {
            entry.name: Pinned(name=entry.name, image=self._pins[entry.name])
            for entry in entries
            if self._is_settled(entry)
        }
        if todo:
            resolver = EntryResolver(self._open_source())
            updater = EntryUpdater(
                resolver, self._observer, host=self._host, now=self._now, warn=self._warn
            )

            def settle(entry: SpecEntry) -> UpdateOutcome:
                if entry.name in self._stale:
                    return self._relock(resolver, entry)
                return updater.update(entry, self._pins[entry.name])

            found = map_concurrently(settle, todo, jobs=jobs)
            for entry, answer in zip(todo, found, strict=True):
                answers[entry.name] = (
                    Failed(name=entry.name, error=answer)
                    if isinstance(answer, PinnerError)
                    else answer
                )
        return [answers[entry.name] for entry in entries]

    def _is_settled(self, entry: SpecEntry) -> bool:
        return entry.digest is not None and entry.name not in self._stale

    def _relock(self, resolver: EntryResolver, entry: SpecEntry) -> Added | Changed:
        """Lock a stale entry, whatever its age: an image that is not pinned is no safer."""
        before = self._pins.get(entry.name)
        kinds = self._stale[entry.name]
        image = resolver.lock(entry, before, kinds)
        if entry.digest is None and kinds != {Kind.PLATFORMS}:  # else the tag was not asked for
            self._observer.saw(Reference(image.repository, image.tag), image.digest)
        if before is None:
            return Added(name=entry.name, image=image)
        return Changed(name=entry.name, before=before, image=image)

    def _warn(self, name: str, text: str) -> None:
        with self._lock:
            self.warnings[name] = text


def _chosen(spec: Spec, names: Sequence[str]) -> list[SpecEntry]:
    """The entries of these names, or all, in the spec's order."""
    known = {entry.name for entry in spec.entries}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name[:_SHOWN], known, n=1)
            raise InputError(
                f'images.toml has no image "{safe(name, limit=_SHOWN)}"',
                mend=f'did you mean "{close[0]}"?' if close else (),
            )
    return [entry for entry in spec.entries if not names or entry.name in names]


def _lock(pins: Mapping[str, LockedImage], outcomes: Iterable[UpdateOutcome]) -> Lock:
    """The pins, with those that moved moved."""
    images = dict(pins)
    for outcome in outcomes:
        match outcome:
            case Updated() | Added() | Changed():
                images[outcome.name] = outcome.image
            case Removed():
                del images[outcome.name]
            case _:
                pass
    return Lock(images=tuple(images.values()))
