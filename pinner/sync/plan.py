"""What has to be fetched: each missing blob once, whoever needs it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.errors import IntegrityError
from pinner.outcome import Failed
from pinner.sync.result import Amount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageNeed:
    """What an image consists of, known once its manifests are in the store.

    Attributes:
        reference: the name that index.json will give it.
        names: all names that index.json will give, and what they point to: `reference` to the
            root; and below an index each wanted manifest by its digest, for tools that cannot
            choose a platform, and so that a tag that moves leaves no manifest without a name.
        platforms: those whose manifests are wanted.
        blobs: config and layers of these manifests, each digest once.
        configs: the config of each wanted manifest, to compare with its platform.
    """

    name: str
    reference: str
    repository: Repository
    names: Mapping[str, Descriptor]
    platforms: tuple[Platform, ...]
    blobs: tuple[Descriptor, ...]
    configs: tuple[tuple[Platform, Descriptor], ...]

    @property
    def root(self) -> Descriptor:
        """What the reference points to: the index, or the one manifest."""
        return self.names[self.reference]

    @property
    def size(self) -> int:
        """Bytes of all its blobs."""
        return sum(blob.size for blob in self.blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobNeed:
    """A blob to fetch: the repositories that have it and the images that wait for it."""

    descriptor: Descriptor
    repositories: tuple[Repository, ...]
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """The whole work of a sync, known before the first byte of a layer.

    Attributes:
        images: what can be completed.
        failed: images whose manifests contradict one another.
        blobs: what to fetch, largest first.
        shared: what images need and need not be fetched for them.
    """

    images: tuple[ImageNeed, ...]
    failed: tuple[Failed, ...]
    blobs: tuple[BlobNeed, ...]
    shared: Amount


def plan_sync(needs: Sequence[ImageNeed], is_stored: Callable[[Digest, int], bool]) -> SyncPlan:
    """Plan the downloads of a run.

    Args:
        needs: the images whose manifests are at hand.
        is_stored: whether the store holds this digest with this size.
    """
    failed = tuple(_contradictions(needs))
    bad = {failure.name for failure in failed}
    images = tuple(need for need in needs if need.name not in bad)
    waiting: dict[Digest, list[ImageNeed]] = {}
    descriptors: dict[Digest, Descriptor] = {}
    for need in images:
        for blob in need.blobs:
            descriptors[blob.digest] = blob
            waiting.setdefault(blob.digest, []).append(need)
    missing = [blob for digest, blob in descriptors.items() if not is_stored(digest, blob.size)]
    missing.sort(key=lambda blob: (-blob.size, blob.digest))
    asked_for = Amount(
        blobs=sum(len(need.blobs) for need in images), size=sum(need.size for need in images)
    )
    return SyncPlan(
        images=images,
        failed=failed,
        blobs=tuple(_blob_need(blob, waiting[blob.digest]) for blob in missing),
        shared=Amount(
            blobs=asked_for.blobs - len(missing),
            size=asked_for.size - sum(blob.size for blob in missing),
        ),
    )


def _blob_need(descriptor: Descriptor, images: Iterable[ImageNeed]) -> BlobNeed:
    repositories = dict.fromkeys(need.repository for need in images)
    return BlobNeed(
        descriptor=descriptor,
        repositories=tuple(repositories),
        images=tuple(need.name for need in images),
    )


def _contradictions(needs: Sequence[ImageNeed]) -> Iterable[Failed]:
    """Images that give a blob another size than an earlier image does: one of them lies."""
    sizes: dict[Digest, int] = {}
    for need in needs:
        for blob in need.blobs:
            size = sizes.setdefault(blob.digest, blob.size)
            if size != blob.size:
                error = IntegrityError(
                    f"{need.reference} says that blob {blob.digest} has {blob.size} bytes, "
                    f"another image says {size}"
                )
                yield Failed(name=need.name, error=error)
                break
