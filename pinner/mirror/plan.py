"""What has to be sent: each blob once, however many repositories want it (pure).

The registry keeps a blob once, and each repository has to be told that it may serve it: by a mount
from a repository that has it, else by an upload.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.errors import IntegrityError
from pinner.outcome import Failed
from pinner.sync.result import Amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinner.mirror.tree import ImageTree
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobWork:
    """A blob that some repositories of the target lack, or may lack.

    Attributes:
        sources: repositories that it can be fetched from.
        images: the entries that wait for it.
        there: a repository of the target that has it; None where none is known.
        upload_to: where its bytes go; None where `there` has it.
        mount_into: further repositories that want it.
    """

    descriptor: Descriptor
    sources: tuple[Repository, ...]
    images: tuple[str, ...]
    there: Repository | None = None
    upload_to: Repository | None = None
    mount_into: tuple[Repository, ...] = ()

    @property
    def repositories(self) -> tuple[Repository, ...]:
        """All that want it."""
        return (*filter(None, [self.upload_to]), *self.mount_into)

    @property
    def is_upload(self) -> bool:
        """Whether bytes are sent."""
        return self.upload_to is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPlan:
    """The work of a run, known before the first byte of a layer.

    Attributes:
        blobs: what is to do, uploads first, the largest first.
        present: blobs that are where they are wanted.
    """

    blobs: tuple[BlobWork, ...] = ()
    present: Amount = field(default_factory=Amount)

    @property
    def uploads(self) -> Amount:
        """The blobs whose bytes are sent."""
        sizes = [blob.descriptor.size for blob in self.blobs if blob.is_upload]
        return Amount(blobs=len(sizes), size=sum(sizes))

    @property
    def mounts(self) -> Amount:
        """The blobs that repositories take from one another, counted for each that does."""
        counted = [(len(blob.mount_into), blob.descriptor.size) for blob in self.blobs]
        return Amount(
            blobs=sum(count for count, _ in counted), size=sum(n * size for n, size in counted)
        )


def wanted_blobs(trees: Iterable[ImageTree]) -> dict[Digest, tuple[Descriptor, list[ImageTree]]]:
    """Each blob, and the images that consist of it."""
    wanted: dict[Digest, tuple[Descriptor, list[ImageTree]]] = {}
    for tree in trees:
        for blob in tree.blobs:
            wanted.setdefault(blob.digest, (blob, []))[1].append(tree)
    return wanted


def contradictions(trees: Iterable[ImageTree]) -> list[Failed]:
    """Images that give a blob another size than an earlier image does: one of them lies."""
    sizes: dict[Digest, int] = {}
    failed = []
    for tree in trees:
        for blob in tree.blobs:
            if sizes.setdefault(blob.digest, blob.size) != blob.size:
                what = f"{tree.name} says that blob {blob.digest} has {blob.size} bytes"
                mend = f"another image says {sizes[blob.digest]}"
                failed.append(Failed(name=tree.name, error=IntegrityError(what, mend=mend)))
                break
    return failed


def plan_mirror(trees: Sequence[ImageTree], there: Mapping[Digest, Repository]) -> MirrorPlan:
    """Plan what is sent.

    Args:
        trees: the images that the target lacks.
        there: a repository of the target that has a blob, for each blob that is known to be there.
    """
    work: list[BlobWork] = []
    present: list[int] = []
    for digest, (descriptor, users) in wanted_blobs(trees).items():
        place = there.get(digest)
        targets = list(dict.fromkeys(tree.wish.repository for tree in users))
        missing = [repository for repository in targets if repository != place]
        if not missing or place in targets:
            present.append(descriptor.size)
        if not missing:
            continue
        work.append(
            BlobWork(
                descriptor=descriptor,
                sources=tuple(dict.fromkeys(tree.wish.source for tree in users)),
                images=tuple(tree.name for tree in users),
                there=place,
                upload_to=missing[0] if place is None else None,
                mount_into=tuple(missing[1:] if place is None else missing),
            )
        )
    work.sort(key=lambda blob: (not blob.is_upload, -blob.descriptor.size, blob.descriptor.digest))
    return MirrorPlan(blobs=tuple(work), present=Amount(blobs=len(present), size=sum(present)))
