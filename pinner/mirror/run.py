"""The whole of a mirroring: survey, plan, ship.

    survey    one HEAD an image: what is there costs nothing more; the manifests of the others, and
              which of their blobs the target has
    plan      what is uploaded and what is mounted (`--dry-run` ends here)
    ship      blobs, then manifests, tags last: an image that is visible is complete

A run that is cut off is continued by the next one, which finds there what was complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.errors import PinnerError
from pinner.mirror.look import wish_for, without_ambiguous_tags
from pinner.mirror.plan import plan_mirror
from pinner.mirror.record import Record
from pinner.mirror.result import Mirrored, MirrorResult, Skipped
from pinner.mirror.shipping import Shipping
from pinner.mirror.survey import Surveyor
from pinner.outcome import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.clock import Clock
    from pinner.mirror.look import Wish
    from pinner.mirror.naming import Target
    from pinner.mirror.plan import MirrorPlan
    from pinner.oci.sinks import Sink
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.store.leases import Lease
    from pinner.sync.gather import SyncSource
    from pinner.sync.select import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is asked of a run.

    Attributes:
        whole: everything that the locked digests name, not the selected platforms alone.
        tags: write the locked tags as well.
        dry_run: send nothing, and download no blob.
    """

    whole: bool = True
    tags: bool = True
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a run works with.

    Attributes:
        store: what is at hand; what is downloaded goes there.
        open_source: opens the registries that the images come from, when something is missing.
        open_sink: opens the registry that they go to.
        progress: who listens.
        clock: for waiting.
        jobs: connections at once, for downloads and for uploads each.
    """

    store: Store
    open_source: Callable[[], SyncSource]
    open_sink: Callable[[], Sink]
    progress: Progress
    clock: Clock
    jobs: int


def run_mirror(
    wanted: Sequence[Wanted | Failed], target: Target, wishes: Wishes, means: Means
) -> MirrorResult:
    """Make the target have the wanted images.

    Args:
        wanted: from `select_images`; entries that failed there are passed through.
        target: where to.
        wishes: how.
        means: with what.

    Returns:
        The outcome of each image. What fails for one image is its outcome; the others go on.

    Raises:
        StoreError: the store or the disk failed.
        KeyboardInterrupt: interrupted; what is complete at the target stays.
    """
    record = Record()
    with means.store.lease(optional=True) as lease:
        plan = _ship(_wishes(wanted, target, wishes, record), wishes, means, record, lease)
    return MirrorResult(
        outcomes=tuple(record.outcomes[_name(item)] for item in wanted),
        uploaded=record.amount("uploaded"),
        mounted=record.amount("mounted"),
        present=plan.present,
        fetched=record.amount("fetched"),
        mirrors=_mirrors(wanted, target, record),
        warnings=tuple(record.warnings),
        dry_run=wishes.dry_run,
    )


def _ship(
    wished: Sequence[Wish], how: Wishes, means: Means, record: Record, lease: Lease
) -> MirrorPlan:
    survey = Surveyor(
        store=means.store,
        open_source=means.open_source,
        open_sink=means.open_sink,
        hold=lease.hold,
        jobs=means.jobs,
        record=record,
    ).survey(wished)
    plan = plan_mirror(survey.trees, survey.there)
    if how.dry_run:
        record.count("uploaded", plan.uploads)
        record.count("mounted", plan.mounts)
        for tree in survey.trees:
            record.done(tree.wish, manifests=len(tree.manifests))
    elif survey.trees:
        Shipping(
            store=means.store,
            open_source=means.open_source,
            sink=means.open_sink(),
            progress=means.progress,
            clock=means.clock,
            jobs=means.jobs,
            record=record,
        ).ship(survey.trees, plan.blobs)
    return plan


def _wishes(
    wanted: Sequence[Wanted | Failed], target: Target, how: Wishes, record: Record
) -> list[Wish]:
    found: list[Wish] = []
    for item in wanted:
        if isinstance(item, Failed):
            record.outcomes[item.name] = item
            continue
        name = item.image.name
        if target.is_home_of(item.image):
            reason = f"it comes from {target.registry} itself"
            record.outcomes[name] = Skipped(name=name, reason=reason)
            continue
        try:
            found.append(wish_for(item, target, whole=how.whole, tags=how.tags))
        except PinnerError as error:
            record.fail(name, error)
    kept, lines = without_ambiguous_tags(found)
    record.warnings.update(dict.fromkeys(lines))
    return kept


def _mirrors(wanted: Sequence[Wanted | Failed], target: Target, record: Record) -> dict[str, str]:
    """The mirror of each registry of which nothing failed."""
    held: dict[str, bool] = {}
    for item in wanted:
        if not isinstance(item, Failed):
            outcome = record.outcomes[item.image.name]
            registry = item.image.repository.registry
            if not isinstance(outcome, Skipped):
                held[registry] = held.get(registry, True) and isinstance(outcome, Mirrored)
    return {name: target.mirror_of(name) for name, whole in sorted(held.items()) if whole}


def _name(item: Wanted | Failed) -> str:
    return item.name if isinstance(item, Failed) else item.image.name
