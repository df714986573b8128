"""Resolving: what `pinner lock` does between reading images.toml and writing images.lock.

    Spec + previous Lock -> for each entry: kept, or one manifest GET -> LockResult

An entry whose pin still satisfies the spec costs no request (design section 4). An index names
the digests of all platforms at once; a lone manifest costs one more request, for its config, since
only that says which platform it is for. The clock, the host and the run leave no trace in the lock.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pinner.errors import InputError, IntegrityError, NotFound, PinnerError
from pinner.freshness import Kind, staleness
from pinner.lockfile import Lock, LockedImage
from pinner.oci.config import parse_config
from pinner.oci.fetch import read_blob
from pinner.oci.manifest import Index, NoSuchPlatform, expand, parse_manifest, select
from pinner.oci.reference import Reference
from pinner.oci.sources import BlobSource, ManifestSource, Resolver, TagLister
from pinner.outcome import Failed
from pinner.tagpolicy import choose_tag
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.sources import RawManifest
    from pinner.spec import Spec, SpecEntry

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class LockSource(Resolver, TagLister, ManifestSource, BlobSource, Protocol):
    """What resolving asks of a registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Newly locked."""

    name: str
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Locked anew, since the pin did not satisfy the spec any more."""

    name: str
    before: LockedImage
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The pin still satisfies the spec; nothing was asked."""

    name: str
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The spec no longer names it."""

    name: str
    before: LockedImage


LockOutcome = Added | Changed | Kept | Removed | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """What resolving came to.

    Attributes:
        lock: the new lock; None where any entry failed, since a lock is whole or not written.
        outcomes: one for each entry in the spec's order, then what was removed, by name.
    """

    lock: Lock | None
    outcomes: tuple[LockOutcome, ...]

    @property
    def changed(self) -> bool:
        """Whether the new lock differs from the previous one."""
        return any(not isinstance(outcome, Kept | Failed) for outcome in self.outcomes)


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
    stale: dict[str, set[Kind]] = {}
    for finding in staleness(spec, previous or Lock(images=())):
        stale.setdefault(finding.name, set()).add(finding.kind)
    todo = [entry for entry in spec.entries if entry.name in stale]
    resolved: dict[str, LockedImage | PinnerError] = {}
    if todo:
        resolver = _EntryResolver(open_source())

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


class _EntryResolver:
    """Resolves the entries of one run; what several entries share is asked for once."""

    def __init__(self, source: LockSource) -> None:
        self._source = source
        self._resolve = _Once(source.resolve)
        self._tags = _Once(source.tags)

    def lock(self, entry: SpecEntry, pin: LockedImage | None, kinds: set[Kind]) -> LockedImage:
        reference = self._reference(entry)
        if pin is not None and kinds == {Kind.PLATFORMS}:
            # Only the platforms changed: the pin (tag and digest) still holds and must not move.
            reference = Reference(repository=pin.repository, tag=pin.tag, digest=pin.digest)
        try:
            raw = self._resolve(reference)
        except NotFound as error:
            raise _not_found(reference, error) from error
        try:
            platforms = self._platforms(entry, reference, raw)
        except (IntegrityError, NoSuchPlatform) as error:
            error.where = error.where or f"{entry.name} ({reference})"
            raise
        return LockedImage(
            name=entry.name,
            repository=reference.repository,
            tag=reference.tag,
            digest=raw.digest,
            platforms=platforms,
            all_platforms=entry.platforms is None,
        )

    def _reference(self, entry: SpecEntry) -> Reference:
        tag = entry.tag
        if tag is None and entry.wish is not None:
            tags = self._tags(entry.repository)
            tag = choose_tag(tags, entry.wish)
            if tag is None:
                raise InputError(
                    f"none of the {len(tags)} tags of {entry.repository.familiar()} "
                    f"satisfies {entry.wish}",
                    mend="widen what images.toml asks for",
                )
        return Reference(repository=entry.repository, tag=tag, digest=entry.digest)

    def _platforms(
        self, entry: SpecEntry, reference: Reference, raw: RawManifest
    ) -> dict[Platform, Digest]:
        parsed = parse_manifest(raw)
        if isinstance(parsed, Index):
            index = expand(
                parsed, lambda member: self._source.manifest(reference.repository, member.digest)
            )
            wanted = entry.platforms or index.platforms()
            if not wanted:
                raise InputError(
                    f"{reference.familiar()} is an index without images",
                    mend="it may be an artifact, which pinner does not lock",
                )
            return {platform: select(index, platform).digest for platform in wanted}
        config = read_blob(self._source, reference.repository, parsed.config)
        offered = parse_config(config).platform
        for platform in entry.platforms or ():
            if not platform.matches(offered):
                raise InputError(
                    f"{reference.familiar()} is one image for {offered}, not for {platform}",
                    mend=f'write platforms = ["{offered}"], or name another image',
                )
        return dict.fromkeys(entry.platforms or (offered,), raw.digest)


def _not_found(reference: Reference, error: NotFound) -> NotFound:
    if reference.digest is None:
        return error
    return NotFound(
        f"{reference.familiar()} is gone from the registry",
        where=error.where,
        mend="its pin cannot be kept: take its table out of images.lock and run `pinner lock`",
    )


class _Once(Generic[_Key, _Answer]):
    """A function whose answer for each argument is computed once, also by concurrent callers."""

    def __init__(self, function: Callable[[_Key], _Answer]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._answers: dict[_Key, _Answer] = {}
        self._under_way: dict[_Key, threading.Lock] = {}

    def __call__(self, key: _Key) -> _Answer:
        with self._lock:
            turn = self._under_way.setdefault(key, threading.Lock())
        with turn:
            if key not in self._answers:
                self._answers[key] = self._function(key)
            return self._answers[key]
