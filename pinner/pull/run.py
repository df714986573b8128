"""The whole of a pull: which tags, what they name, then one sync of all of it.

    Wish --tags--> Target --Finder--> RawManifest --choose--> Chosen --run_sync--> Pulled

All references are found at once and their blobs are fetched by one pool; what is told of them
stays in the order of the command line. One that fails does not stop the others.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, IntegrityError, NotFound, PinnerError, StoreError
from pinner.oci.remembering import RememberingSource
from pinner.outcome import Failed
from pinner.pull.choosing import Artifact, Chosen, choose
from pinner.pull.finding import Finder
from pinner.pull.model import Block, Pulled, PullResult, Skipped, Target
from pinner.pull.words import in_dockers_words, verification_failed
from pinner.sync import Synced, run_sync
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.clock import Clock
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.remembering import Source
    from pinner.pull.model import PullOutcome, PullProgress, Wish
    from pinner.store.layout import Store
    from pinner.sync import SyncResult

_SCRATCH: Final = "scratch"


def run_pull(
    wishes: Sequence[Wish],
    store: Store,
    open_source: Callable[[], Source],
    *,
    platforms: Sequence[Platform],
    progress: PullProgress,
    clock: Clock,
    jobs: int,
    is_mirrored: Callable[[Repository], bool] = lambda _: False,
) -> PullResult:
    """Make the store hold, under their names, the images that references name now.

    Args:
        wishes: from `parse_wishes`.
        store: where to.
        open_source: opens the registry; called only where something is asked.
        platforms: which images of an index; at least one.
        progress: who listens.
        clock: for waiting.
        jobs: requests at once.
        is_mirrored: whether digests of a repository have another source than its registry.

    Returns:
        The outcome of each reference. What fails for one is its outcome; the others go on.

    Raises:
        StoreError: the store or the disk failed.
        KeyboardInterrupt: interrupted; what was fetched is kept and continued next time.
    """
    source = _Opener(open_source)
    run = _Run(store, source, tuple(platforms), jobs)
    targets = run.targets(wishes)
    finder = Finder(store, source, is_mirrored=is_mirrored)
    findings = run.findings(targets, finder)
    blocks = [_block(finding, store, finder) for finding in findings]
    progress.found([block for block in blocks if block is not None])
    chosen = [finding.chosen for finding in findings if finding.chosen is not None]
    result = run_sync(
        [one.wanted for one in chosen],
        store,
        source,
        progress=progress,
        clock=clock,
        jobs=jobs,
    )
    for outcome in result.outcomes:
        if isinstance(outcome, Failed):
            progress.image_failed(outcome.name)  # what failed before there was a plan as well
    outcomes = _outcomes(findings, blocks, result)
    return PullResult(
        outcomes=outcomes,
        pulled=_without_failure(findings, outcomes),
        fetched=result.fetched,
        shared=result.shared,
        warnings=result.warnings,
    )


class _Opener:
    """Opens the registry when it is first asked, once for all threads."""

    def __init__(self, open_source: Callable[[], Source]) -> None:
        self._open_source = open_source
        self._lock = threading.Lock()
        self._opened: RememberingSource | None = None

    def __call__(self) -> RememberingSource:
        with self._lock:
            if self._opened is None:
                self._opened = RememberingSource(self._open_source())
            return self._opened


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What became of one target before the first layer; `begun` once the registry had it."""

    target: Target
    chosen: Chosen | None = None
    failed: Failed | Skipped | None = None
    begun: bool = False


@dataclass(slots=True)
class _Run:
    store: Store
    source: Callable[[], RememberingSource]
    platforms: tuple[Platform, ...]
    jobs: int

    def targets(self, wishes: Sequence[Wish]) -> list[Target | _Finding]:
        """One for each reference, or why it is known from the beginning to fail."""
        answers = map_concurrently(self._targets, wishes, jobs=self.jobs)
        found: list[Target | _Finding] = []
        for wish, answer in zip(wishes, answers, strict=True):
            if isinstance(answer, PinnerError):
                given = wish.given if wish.all_tags else wish.given.tag_or_latest()
                target = Target(reference=given, given=given, defaulted=wish.defaulted)
                found.append(_failed(target, in_dockers_words(answer, wish.given), begun=False))
            else:
                found += answer
        return found

    def findings(self, targets: Sequence[Target | _Finding], finder: Finder) -> list[_Finding]:
        """What each target names and which manifests of it are wanted.

        Raises:
            StoreError: the store or the disk failed.
        """
        todo = [target for target in targets if isinstance(target, Target)]
        answers = map_concurrently(lambda each: self._find(each, finder), todo, jobs=self.jobs)
        found = dict(zip(todo, answers, strict=True))
        findings = []
        for target in targets:
            finding = found[target] if isinstance(target, Target) else target
            if isinstance(finding, PinnerError):
                raise finding
            findings.append(finding)
        return findings

    def _targets(self, wish: Wish) -> Sequence[Target | _Finding]:
        given = wish.given
        if given.repository.familiar() == _SCRATCH:
            raise InputError(f"'{_SCRATCH}' is a reserved name")
        if wish.all_tags:
            tags = self.source().tags(given.repository)
            group = given.familiar()
            if not tags:
                nothing = Target(reference=given, given=given)
                return [_failed(nothing, NotFound(f"{group} has no tags"), begun=False)]
            return [Target(reference=given.with_tag(tag), given=given, group=group) for tag in tags]
        full = given.tag_or_latest()
        reference = full if full.digest is None else full.with_tag(None)
        return [Target(reference=reference, given=full, defaulted=wish.defaulted)]

    def _find(self, target: Target, finder: Finder) -> _Finding:
        """What became of a target; only a store that fails is raised, since it fails all."""
        begun = False
        try:
            raw = finder.find(target.reference, among_many=bool(target.group))
            begun = True
            chosen = choose(target, raw, finder, self.platforms)
        except StoreError:
            raise
        except Artifact as error:
            if target.group:
                return _Finding(target=target, failed=Skipped(name=target.name, reason=error.what))
            return _failed(target, error, begun=begun)
        except PinnerError as error:
            return _failed(target, in_dockers_words(error, target.reference), begun=begun)
        return _Finding(target=target, chosen=chosen, begun=True)


def _failed(target: Target, error: PinnerError, *, begun: bool) -> _Finding:
    return _Finding(target=target, failed=Failed(name=target.name, error=error), begun=begun)


def _block(finding: _Finding, store: Store, finder: Finder) -> Block | None:
    target, chosen = finding.target, finding.chosen
    if chosen is None:
        if isinstance(finding.failed, Skipped):
            return None
        return Block(target=target, found=finding.begun)
    missing = frozenset(
        blob.digest for blob in chosen.blobs if not store.has(blob.digest, blob.size)
    )
    manifests = {chosen.digest, *(digest for _, digest, _ in chosen.manifests)}
    return Block(
        target=target,
        found=True,
        digest=chosen.digest,
        layers=chosen.layers,
        missing=missing,
        up_to_date=not missing
        and all(map(store.has, manifests))
        and finder.named(target.reference) == chosen.digest,
    )


def _outcomes(
    findings: Sequence[_Finding], blocks: Sequence[Block | None], result: SyncResult
) -> tuple[PullOutcome, ...]:
    synced = {outcome.name: outcome for outcome in result.outcomes}
    outcomes: list[PullOutcome] = []
    for finding, block in zip(findings, blocks, strict=True):
        if finding.failed is not None:
            outcomes.append(finding.failed)
            continue
        assert finding.chosen is not None  # noqa: S101 - who did not fail has chosen
        assert block is not None  # noqa: S101 - and has a block
        outcome = synced[finding.target.name]
        if isinstance(outcome, Failed):
            outcomes.append(Failed(name=outcome.name, error=_worded(outcome.error, finding.chosen)))
        else:
            outcomes.append(_pulled(outcome, finding.chosen, block))
    return tuple(outcomes)


def _without_failure(
    findings: Sequence[_Finding], outcomes: Sequence[PullOutcome]
) -> tuple[Reference, ...]:
    given = dict.fromkeys(finding.target.given for finding in findings)
    failed = {
        finding.target.given
        for finding, outcome in zip(findings, outcomes, strict=True)
        if isinstance(outcome, Failed)
    }
    return tuple(reference for reference in given if reference not in failed)


def _worded(error: PinnerError, chosen: Chosen) -> PinnerError:
    """A blob with other bytes, as docker tells it: by its digest, which the message begins with."""
    if not isinstance(error, IntegrityError):
        return error
    configs = {manifest.config.digest for *_, manifest in chosen.manifests}
    for blob in chosen.blobs:
        if error.what.startswith(str(blob.digest)):
            kind = "image config" if blob.digest in configs else "filesystem layer"
            return verification_failed(error, kind, blob.digest)
    return error


def _pulled(synced: Synced, chosen: Chosen, block: Block) -> Pulled:
    return Pulled(
        name=synced.name,
        reference=synced.reference,
        digest=synced.digest,
        platforms={platform: digest for platform, digest, _ in chosen.manifests},
        layers=block.layers,
        fetched=block.missing,
        size=synced.size,
        up_to_date=block.up_to_date,
    )
