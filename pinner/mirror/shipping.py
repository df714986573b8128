"""The way of the bytes: download what the store lacks, push what it has, and again what was denied.

A blob is pushed when it is in the store, and an image's manifests when all its blobs are at the
target, while other blobs are still on their way to the store.

A registry may refuse a mount, or lack a blob that it was thought to have. Where the store has no
bytes to upload instead, they are downloaded then, and the images concerned go another round.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.errors import PinnerError
from pinner.mirror.fetching import Fetching
from pinner.mirror.plan import BlobWork
from pinner.mirror.push import BlobMoved, ImagePushed, Pusher
from pinner.mirror.work import Board, Refused, work_through
from pinner.progress import BlobPlan, ImagePlan
from pinner.store.names import NamedDescriptor
from pinner.sync.download import fetch_blobs
from pinner.sync.plan import BlobNeed
from pinner.sync.result import Amount
from pinner.sync.transfer import BlobDone, BlobFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pinner.clock import Clock
    from pinner.mirror.record import Record
    from pinner.mirror.tree import ImageTree
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository
    from pinner.oci.sinks import Sink
    from pinner.oci.sources import BlobSource
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.sync.transfer import Event

_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipping:
    """Brings images to the target; outcomes and amounts go to the record."""

    store: Store
    open_source: Callable[[], BlobSource]
    sink: Sink
    progress: Progress
    clock: Clock
    jobs: int
    record: Record
    _denied: dict[tuple[Digest, Repository], tuple[Descriptor, list[ImageTree]]] = field(
        default_factory=dict
    )

    def ship(self, trees: Sequence[ImageTree], blobs: Sequence[BlobWork]) -> None:
        """Do the planned work.

        Raises:
            StoreError: the store failed.
            KeyboardInterrupt: interrupted.
        """
        pusher = Pusher(self.store, self.sink, self.progress)
        for number in range(1, _ROUNDS + 1):
            self._denied.clear()
            waiting = [tree for tree in trees if tree.name not in self.record.outcomes]
            names = {tree.name for tree in waiting}
            work = [blob for blob in blobs if names.intersection(blob.images)]
            uploads = [blob for blob in work if blob.is_upload]
            needs = self._needs(uploads)
            self._show(waiting, [blob.descriptor for blob in uploads], needs.values())
            board = Board(waiting, work, needs)
            work_through(
                board,
                pusher,
                jobs=self.jobs,
                last_time=number == _ROUNDS,
                handle=functools.partial(self._handle, waiting),
                meanwhile=functools.partial(self._fetch, needs, board) if needs else None,
            )
            if not self._denied:
                return
            blobs = [_upload(*key, *denied) for key, denied in self._denied.items()]

    def _needs(self, uploads: Sequence[BlobWork]) -> dict[Digest, BlobNeed]:
        """What has to be downloaded before it can be uploaded."""
        return {
            work.descriptor.digest: BlobNeed(
                descriptor=work.descriptor, repositories=work.sources, images=work.images
            )
            for work in uploads
            if not self.store.has(work.descriptor.digest, work.descriptor.size)
        }

    def _fetch(
        self, needs: Mapping[Digest, BlobNeed], board: Board, look: Callable[[], None]
    ) -> None:
        """Download what the store lacks; images that wait for what cannot be had fail."""

        def handle(events: Sequence[Event]) -> None:
            for event in events:
                if isinstance(event, BlobDone):
                    if event.fetched is not None:
                        self.record.count("fetched", Amount(blobs=1, size=event.fetched))
                    board.arrived(event.digest)
                elif isinstance(event, BlobFailed):
                    for name in board.lost(event.digest):
                        self.record.fail(name, event.error)
                        self.progress.image_failed(name)
            look()

        count = f"{len(needs)} blobs" if len(needs) > 1 else "one blob"
        self.progress.note(f"fetching {count} that the store lacks")
        fetch_blobs(
            list(needs.values()),
            self.store,
            self.open_source(),
            progress=Fetching(self.progress),
            clock=self.clock,
            jobs=self.jobs,
            handle=handle,
        )

    def _handle(
        self, waiting: Sequence[ImageTree], event: BlobMoved | ImagePushed | Refused
    ) -> None:
        match event:
            case BlobMoved():
                self.record.count("uploaded", event.sent)
                self.record.count("mounted", event.taken)
                for tree in waiting if event.lacking else ():
                    if tree.name in event.work.images and tree.wish.repository in event.lacking:
                        self._deny(event.work.descriptor, tree)
            case ImagePushed(error=None, lacking=()):
                self._name(event.tree)
                self.record.done(event.tree.wish, manifests=len(event.tree.manifests))
                self.progress.image_done(event.tree.name)
            case ImagePushed(error=None):
                for blob in event.lacking:
                    self._deny(blob, event.tree)
            case ImagePushed(error=PinnerError() as error) | Refused(error=error):
                self.record.fail(event.tree.name, error)
                self.progress.image_failed(event.tree.name)

    def _deny(self, blob: Descriptor, tree: ImageTree) -> None:
        key = blob.digest, tree.wish.repository
        self._denied.setdefault(key, (blob, []))[1].append(tree)

    def _name(self, tree: ImageTree) -> None:
        """Let the store name what it has whole now, so that it is kept."""
        if tree.names and all(self.store.has(blob.digest, blob.size) for blob in tree.blobs):
            self.store.name_images(
                [NamedDescriptor(name=name, descriptor=to) for name, to in tree.names.items()]
            )

    def _show(
        self,
        trees: Sequence[ImageTree],
        uploads: Sequence[Descriptor],
        needs: Iterable[BlobNeed],
    ) -> None:
        """Tell the plan: of each image what is uploaded; in all, also what is downloaded."""
        sent = {blob.digest for blob in uploads}
        wanted = [
            (blob, (tree.name,)) for tree in trees for blob in tree.blobs if blob.digest in sent
        ]
        self.progress.plan(
            tuple(_by_image(wanted)),
            (*_plans(uploads), *Fetching.plans(need.descriptor for need in needs)),
        )


def _upload(
    _: Digest, repository: Repository, blob: Descriptor, trees: Sequence[ImageTree]
) -> BlobWork:
    """What was denied, as an upload."""
    return BlobWork(
        descriptor=blob,
        sources=tuple(dict.fromkeys(tree.wish.source for tree in trees)),
        images=tuple(dict.fromkeys(tree.name for tree in trees)),
        upload_to=repository,
    )


def _by_image(wanted: Iterable[tuple[Descriptor, Sequence[str]]]) -> Iterable[ImagePlan]:
    images: dict[str, list[Descriptor]] = {}
    for blob, names in wanted:
        for name in names:
            images.setdefault(name, []).append(blob)
    for name, blobs in images.items():
        digests = tuple(str(blob.digest) for blob in blobs)
        yield ImagePlan(name=name, blobs=digests, size=sum(blob.size for blob in blobs))


def _plans(blobs: Iterable[Descriptor]) -> tuple[BlobPlan, ...]:
    sizes = {str(blob.digest): blob.size for blob in blobs}
    return tuple(BlobPlan(digest=digest, size=size) for digest, size in sizes.items())
