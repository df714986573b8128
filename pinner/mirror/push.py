"""One step of a mirroring: a blob to the repositories that want it, or an image's manifests."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.errors import PinnerError, RateLimited, StoreError, Unavailable
from pinner.oci.sinks import ContentMissing
from pinner.store.sending import StoredBlob
from pinner.sync.result import Amount

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.mirror.plan import BlobWork
    from pinner.mirror.tree import ImageTree
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.reference import Repository
    from pinner.oci.sinks import Sink
    from pinner.progress import Progress
    from pinner.store.layout import Store


class _Way(enum.Enum):
    """How a repository came to have a blob, or that it has not."""

    UPLOADED = enum.auto()
    MOUNTED = enum.auto()
    PRESENT = enum.auto()
    LACKING = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobMoved:
    """A blob was offered to every repository that wants it.

    Attributes:
        uploaded, mounted: how, in how many repositories.
        failed: the repositories that do not have it now.
        lacking: those that did not mount it, while the store has no bytes to upload instead.
    """

    work: BlobWork
    uploaded: int = 0
    mounted: int = 0
    failed: Mapping[Repository, PinnerError] = field(default_factory=dict)
    lacking: tuple[Repository, ...] = ()

    @property
    def sent(self) -> Amount:
        """What was uploaded."""
        return Amount(blobs=self.uploaded, size=self.uploaded * self.work.descriptor.size)

    @property
    def taken(self) -> Amount:
        """What was mounted."""
        return Amount(blobs=self.mounted, size=self.mounted * self.work.descriptor.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePushed:
    """An image's manifests were sent.

    Attributes:
        error: why they could not be; None where they are there.
        lacking: blobs that the registry denies to have, which is worth one more upload.
    """

    tree: ImageTree
    error: PinnerError | None = None
    lacking: tuple[Descriptor, ...] = ()


@dataclass(frozen=True, slots=True)
class Pusher:
    """Sends what the store has; one object for all workers."""

    store: Store
    sink: Sink
    progress: Progress

    def move(self, work: BlobWork) -> BlobMoved:
        """Bring a blob to the repositories that want it.

        Raises:
            StoreError: the store failed.
        """
        ways: Counter[_Way] = Counter()
        failed: dict[Repository, PinnerError] = {}
        lacking: list[Repository] = []
        place, open_still = work.there, list(work.repositories)
        while open_still:
            repository = open_still.pop(0)
            try:
                way = self._bring(work, repository, place)
            except StoreError:
                raise
            except (Unavailable, RateLimited) as error:
                # Whoever does not answer need not be asked for every other repository.
                failed |= dict.fromkeys((repository, *open_still), error)
                break
            except PinnerError as error:
                failed[repository] = error
                continue
            ways[way] += 1
            if way is _Way.LACKING:
                lacking.append(repository)
            else:
                place = repository
        return BlobMoved(
            work=work,
            uploaded=ways[_Way.UPLOADED],
            mounted=ways[_Way.MOUNTED],
            failed=failed,
            lacking=tuple(lacking),
        )

    def finish(self, tree: ImageTree, *, last_time: bool) -> ImagePushed:
        """Send an image's manifests, members first, the tag last; its blobs are there.

        Raises:
            StoreError: the store failed.
        """
        wish = tree.wish
        try:
            for raw in tree.manifests:
                tag = wish.tag if raw.digest == wish.image.digest else None
                self.sink.push_manifest(wish.repository, raw, tag)
        except ContentMissing as error:
            if last_time:
                return ImagePushed(tree=tree, error=error)
            # What was seen or mounted was gone, or never there.
            denied = [b for b in tree.blobs if not self.sink.has_blob(wish.repository, b)]
            return ImagePushed(tree=tree, lacking=tuple(denied or tree.blobs))
        except StoreError:
            raise
        except PinnerError as error:
            return ImagePushed(tree=tree, error=error)
        return ImagePushed(tree=tree)

    def _bring(self, work: BlobWork, repository: Repository, place: Repository | None) -> _Way:
        """Let one repository have the blob, that `place` has if it is not None."""
        blob = work.descriptor
        if repository != work.upload_to:
            if place is not None and self.sink.mount_blob(repository, blob, place):
                return _Way.MOUNTED
            if self.sink.has_blob(repository, blob):  # it mounts nothing, and had it all the same
                return _Way.PRESENT
            if not self.store.has(blob.digest, blob.size):
                return _Way.LACKING
        self._upload(blob, repository)
        return _Way.UPLOADED

    def _upload(self, descriptor: Descriptor, repository: Repository) -> None:
        digest = str(descriptor.digest)
        content = StoredBlob(self.store.blobs, descriptor.digest)
        self.sink.push_blob(repository, descriptor, content, self._counting(digest))
        self.progress.blob_done(digest)

    def _counting(self, digest: str) -> Callable[[int], None]:
        return lambda count: self.progress.advance(digest, count)
