"""The whole of a sync: gather manifests, plan, download with one pool, name the images last.

The main thread waits for what the workers report and is the only one that writes index.json: an
image is named when all its blobs are in the store, so that a visible image is always complete. From
before it looks what is missing until the images have their names, a lease keeps `prune` away.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.errors import PinnerError, StoreError
from pinner.oci.config import CONFIG_LIMIT, parse_config
from pinner.outcome import Failed
from pinner.progress import BlobPlan, ImagePlan
from pinner.store.names import NamedDescriptor
from pinner.sync.download import fetch_blobs
from pinner.sync.gather import ManifestGatherer, SyncSource
from pinner.sync.plan import plan_sync
from pinner.sync.present import find_present, outcome, stands
from pinner.sync.result import Amount, SyncResult
from pinner.sync.transfer import BlobDone, BlobFailed, BlobWrong, RunFailed
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.clock import Clock
    from pinner.oci.digest import Digest
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.store.leases import Lease
    from pinner.sync.plan import BlobNeed, ImageNeed, SyncPlan
    from pinner.sync.result import Synced
    from pinner.sync.select import Wanted
    from pinner.sync.transfer import Event

_NAMING: Final = 20  # times as long as naming took is waited before the next: 5 % of a run at most
_STALE: Final = 7 * 24 * 3600.0  # partials that nobody came back for within a week


def run_sync(
    wanted: Sequence[Wanted | Failed],
    store: Store,
    open_source: Callable[[], SyncSource],
    *,
    progress: Progress,
    clock: Clock,
    jobs: int,
) -> SyncResult:
    """Make the store hold the wanted images, and its index.json name them.

    Args:
        wanted: from `select_images`; entries that failed there are passed through.
        store: where to.
        open_source: opens the registry; called only when something is missing, so that a
            complete store needs no network.
        progress: who listens.
        clock: for waiting.
        jobs: connections at once.

    Returns:
        The outcome of each image. What fails for one image is its outcome; the others go on.

    Raises:
        StoreError: the store or the disk failed; what was complete before is named.
        KeyboardInterrupt: interrupted; what was fetched is kept and continued next time.
    """
    return _Run(store, open_source, progress, clock, jobs).run(wanted)


@dataclass(slots=True)
class _Image:
    """An image on its way: the blobs that it still waits for."""

    need: ImageNeed
    waits_for: set[Digest]
    named: bool
    complete_before: bool
    error: PinnerError | None = None


@dataclass(slots=True)
class _Run:
    store: Store
    open_source: Callable[[], SyncSource]
    progress: Progress
    clock: Clock
    jobs: int
    warnings: dict[str, None] = field(default_factory=dict)
    outcomes: dict[str, Synced | Failed] = field(default_factory=dict)
    fetched: list[int] = field(default_factory=list)
    met: list[int] = field(default_factory=list)  # what another process fetched meanwhile
    ready: list[_Image] = field(default_factory=list)  # complete, and not named yet
    next_naming: float = 0.0

    def run(self, wanted: Sequence[Wanted | Failed]) -> SyncResult:
        self.store.sweep(now=self.clock.now(), older_than=_STALE)
        names = [item.name if isinstance(item, Failed) else item.image.name for item in wanted]
        self.outcomes.update({item.name: item for item in wanted if isinstance(item, Failed)})
        todo = [item for item in wanted if not isinstance(item, Failed)]
        present = find_present(todo, self.store, self._warn)
        if present is not None:
            shared = present.shared
            for found in present.outcomes:
                self._tell(found)
        else:
            with self.store.lease() as lease:
                shared = self._bring(todo, lease).shared
        return SyncResult(
            outcomes=tuple(self.outcomes[name] for name in names),
            fetched=Amount(blobs=len(self.fetched), size=sum(self.fetched)),
            shared=Amount(blobs=shared.blobs + len(self.met), size=shared.size + sum(self.met)),
            warnings=tuple(self.warnings),
        )

    def _bring(self, wanted: Sequence[Wanted], lease: Lease) -> SyncPlan:
        """Fetch what is missing and name the images, before the lease ends."""
        plan = self._plan(wanted, lease)
        images = self._images(plan)
        self._name([image for image in images.values() if not image.waits_for])
        if plan.blobs:
            self._download(plan, images)
        return plan

    def _plan(self, wanted: Sequence[Wanted], lease: Lease) -> SyncPlan:
        gatherer = ManifestGatherer(self.store, self.open_source, self._warn, lease.hold)
        self.store.announce(gatherer.missing(wanted))
        answers = map_concurrently(gatherer.gather, wanted, jobs=self.jobs)
        needs: list[ImageNeed] = []
        for item, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, StoreError):
                raise answer
            if isinstance(answer, PinnerError):
                self._fail(item.image.name, answer)
            else:
                needs.append(answer)
        lease.hold(blob.digest for need in needs for blob in need.blobs)
        plan = plan_sync(needs, self.store.has)
        for failure in plan.failed:
            self._fail(failure.name, failure.error)
        return plan

    def _images(self, plan: SyncPlan) -> dict[str, _Image]:
        waits: dict[str, set[Digest]] = {need.name: set() for need in plan.images}
        for blob in plan.blobs:
            for name in blob.images:
                waits[name].add(blob.descriptor.digest)
        names = {named.name: named for named in self.store.images()}
        images: dict[str, _Image] = {}
        for need in plan.images:
            named = all(
                stands(names.get(name), NamedDescriptor(name=name, descriptor=descriptor))
                for name, descriptor in need.names.items()
            )
            images[need.name] = _Image(
                need=need,
                waits_for=waits[need.name],
                named=named,
                complete_before=named and not waits[need.name],
            )
        return images

    def _download(self, plan: SyncPlan, images: dict[str, _Image]) -> None:
        self._show(plan, images)
        needs = {blob.descriptor.digest: blob for blob in plan.blobs}

        def handle(events: Sequence[Event]) -> None:
            for event in events:
                self._handle(event, needs, images)
            at_once = not needs or any(isinstance(event, RunFailed) for event in events)
            self._name_ready(at_once=at_once)

        try:
            fetch_blobs(
                plan.blobs,
                self.store,
                self.open_source(),
                progress=self.progress,
                clock=self.clock,
                jobs=self.jobs,
                handle=handle,
            )
        except KeyboardInterrupt:
            with contextlib.suppress(StoreError):
                self._name_ready(at_once=True)
            raise

    def _handle(
        self, event: Event, needs: dict[Digest, BlobNeed], images: dict[str, _Image]
    ) -> None:
        match event:
            case BlobDone():
                need = needs.pop(event.digest)
                if event.fetched is None:
                    self.met.append(need.descriptor.size)
                else:
                    self.fetched.append(event.fetched)
                for name in need.images:
                    images[name].waits_for.discard(event.digest)
                    if not images[name].waits_for:
                        self.ready.append(images[name])
            case BlobFailed():
                for name in needs.pop(event.digest).images:
                    if images[name].error is None:
                        images[name].error = event.error
                        self._fail(name, event.error)
                        self.progress.image_failed(name)
            case BlobWrong():
                self._warn(_wrong(event))
            case RunFailed():
                pass  # `fetch_blobs` raises it when what is complete has its name

    def _name_ready(self, *, at_once: bool) -> None:
        """Name what is complete, but not every moment: each time, all of index.json is rewritten.

        With many names that takes long, and nothing is lost by waiting: a next run finds the blobs.
        """
        began = self.clock.monotonic()
        if self.ready and (at_once or began >= self.next_naming):
            ready, self.ready = self.ready, []
            self._name(ready)
            ended = self.clock.monotonic()
            self.next_naming = ended + _NAMING * (ended - began)

    def _name(self, complete: Sequence[_Image]) -> None:
        unnamed = [image.need for image in complete if not image.named]
        if unnamed:
            self.store.name_images(
                [
                    NamedDescriptor(name=name, descriptor=descriptor)
                    for need in unnamed
                    for name, descriptor in need.names.items()
                ]
            )
        for image in complete:
            need = image.need
            if not image.complete_before:
                self._compare_platforms(need)
            self._tell(outcome(need, complete_before=image.complete_before))

    def _compare_platforms(self, need: ImageNeed) -> None:
        """Warn where a config names another platform than the index did (moby#41955)."""
        for platform, config in need.configs:
            try:
                offered = parse_config(self.store.read(config.digest, CONFIG_LIMIT)).platform
            except PinnerError:
                continue  # an artifact's config is not an image's
            if not platform.matches(offered):
                self._warn(f"{need.name}: wanted for {platform}, its config says {offered}")

    def _show(self, plan: SyncPlan, images: dict[str, _Image]) -> None:
        sizes = {blob.descriptor.digest: blob.descriptor.size for blob in plan.blobs}
        self.progress.plan(
            tuple(
                ImagePlan(
                    name=name,
                    blobs=tuple(map(str, sorted(image.waits_for))),
                    size=sum(sizes[digest] for digest in image.waits_for),
                )
                for name, image in images.items()
                if image.waits_for
            ),
            tuple(BlobPlan(digest=str(digest), size=size) for digest, size in sizes.items()),
        )

    def _tell(self, synced: Synced) -> None:
        self.outcomes[synced.name] = synced
        self.progress.image_done(synced.name)

    def _fail(self, name: str, error: PinnerError) -> None:
        self.outcomes[name] = Failed(name=name, error=error)

    def _warn(self, text: str) -> None:
        self.warnings.setdefault(text)


def _wrong(event: BlobWrong) -> str:
    if not event.sources:
        return f"what an earlier run kept of blob {event.digest.short} is wrong: fetched again"
    sources = " and ".join(sorted(event.sources))
    return f"{sources} sent wrong bytes for blob {event.digest.short}: fetched again"
