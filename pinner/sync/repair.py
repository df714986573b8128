"""Mending a store: what is corrupt or missing is fetched anew, by digest, and replaced in one step.

    verify -> broken blobs, by the names that need them -> fetch -> verify again -> ...

A manifest that was mended shows what is broken below it, so this goes round until nothing new turns
up. What is corrupt keeps its place until the right bytes take it; nothing good is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.errors import AnswerNo, IntegrityError, PinnerError, RegistryError, StoreError
from pinner.oci import mediatypes
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.reference import InvalidReference, Reference
from pinner.store import names
from pinner.store.reach import reach
from pinner.store.verify import Fault, verify
from pinner.sync.plan import BlobNeed
from pinner.sync.shown import fetch_shown
from pinner.terminal import safe
from pinner.workers import map_concurrently

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from pinner.clock import Clock
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository
    from pinner.oci.sources import RawManifest
    from pinner.progress import Progress
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor
    from pinner.store.verify import Report
    from pinner.sync.gather import SyncSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A blob that is needed and not as it should be.

    Attributes:
        is_corrupt: it is here with wrong bytes; else it is missing.
        repositories: those of the names that need it: who may have it.
        images: these names; foreign text.
    """

    descriptor: Descriptor
    is_corrupt: bool
    repositories: tuple[Repository, ...]
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmended:
    """A broken blob that could not be had, and why."""

    broken: Broken
    error: PinnerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What a repair came to.

    Attributes:
        report: of the store as it is now.
    """

    mended: tuple[Broken, ...]
    failed: tuple[Unmended, ...]
    report: Report


def run_repair(
    store: Store,
    open_source: Callable[[], SyncSource],
    *,
    progress: Progress,
    clock: Clock,
    jobs: int,
    hash_jobs: int,
) -> Repair:
    """Fetch anew whatever a name needs and is corrupt or missing.

    Args:
        store: which.
        open_source: opens the registries; called only when something is broken.
        progress: who listens.
        clock: for waiting.
        jobs: connections at once.
        hash_jobs: blobs hashed at once.

    Raises:
        StoreError: the store or the disk failed.
        KeyboardInterrupt: interrupted; what was mended is mended.
    """
    report = verify(store, jobs=hash_jobs)
    mender = _Mender(store, open_source, progress, clock, jobs)
    tried: dict[Digest, Broken] = {}
    while todo := [one for one in find_broken(store, report) if one.descriptor.digest not in tried]:
        tried |= {one.descriptor.digest: one for one in todo}
        # What verify noted as corrupt is denied by `has`; a store that takes no note takes no blob.
        store.ledger.settle_verified(
            set(), {one.descriptor.digest for one in todo if one.is_corrupt}
        )
        mender.mend(todo)
        report = verify(store, jobs=hash_jobs, known=report.sound)
    mended = {digest for digest in tried if digest in report.sound}
    return Repair(
        mended=tuple(one for digest, one in tried.items() if digest in mended),
        failed=tuple(
            Unmended(broken=one, error=mender.failed.get(digest) or _still_broken(digest))
            for digest, one in tried.items()
            if digest not in mended
        ),
        report=report,
    )


def find_broken(store: Store, report: Report) -> tuple[Broken, ...]:
    """What the names of a store need and a verification found corrupt or missing.

    What lies in a blob's place and is no file is left out: a person has to look at it.
    """
    corrupt = _digests(report, Fault.CORRUPT)
    odd = _digests(report, Fault.STRAY)
    here = report.sound | corrupt

    def size_of(digest: Digest) -> int | None:
        return store.blobs.size(digest) if digest in here else None

    def read(digest: Digest) -> bytes:
        if digest in corrupt:
            raise IntegrityError(f"blob {digest} is corrupt")
        return store.read(digest, MANIFEST_LIMIT)

    found: dict[Digest, tuple[Descriptor, list[NamedDescriptor]]] = {}
    try:
        document = store.index()
    except StoreError:
        return ()  # the report tells of it
    for root in names.roots(document):
        for digest, descriptor in reach(root.descriptor, size_of, read).needed.items():
            if digest not in report.sound and digest not in odd:
                found.setdefault(digest, (descriptor, []))[1].append(root)
    return tuple(
        Broken(
            descriptor=descriptor,
            is_corrupt=digest in corrupt,
            repositories=tuple(dict.fromkeys(_repositories(needing))),
            images=_images(needing),
        )
        for digest, (descriptor, needing) in found.items()
    )


def _images(needing: Sequence[NamedDescriptor]) -> tuple[str, ...]:
    """The names; those of members only where there is no other."""
    asked_for = [root.name for root in needing if root.name and not root.is_member]
    return tuple(dict.fromkeys(asked_for or [root.name for root in needing if root.name]))


def _digests(report: Report, fault: Fault) -> set[Digest]:
    return {one.digest for one in report.findings if one.fault is fault and one.digest}


def _repositories(needing: Iterable[NamedDescriptor]) -> Iterable[Repository]:
    for root in needing:
        try:
            yield Reference.parse(root.name).repository
        except InvalidReference:
            continue


@dataclass(slots=True)
class _Mender:
    store: Store
    open_source: Callable[[], SyncSource]
    progress: Progress
    clock: Clock
    jobs: int
    failed: dict[Digest, PinnerError] = field(default_factory=dict)

    def mend(self, todo: Sequence[Broken]) -> None:
        """Fetch what can be had; why the rest cannot is in `failed`."""
        for one in todo:
            if not one.repositories:
                self.failed[one.descriptor.digest] = _nobody(one)
        known = [one for one in todo if one.repositories]
        self.store.announce(one.descriptor.digest for one in known)
        self._mend_manifests([one for one in known if _is_manifest(one.descriptor)])
        self._mend_blobs([one for one in known if not _is_manifest(one.descriptor)])

    def _mend_manifests(self, todo: Sequence[Broken]) -> None:
        answers = map_concurrently(self._manifest, todo, jobs=self.jobs)
        for one, answer in zip(todo, answers, strict=True):
            if isinstance(answer, StoreError):
                raise answer
            if isinstance(answer, PinnerError):
                self.failed[one.descriptor.digest] = answer

    def _manifest(self, one: Broken) -> RawManifest:
        digest = one.descriptor.digest
        errors: list[PinnerError] = []
        for repository in one.repositories:
            try:
                raw = self.open_source().manifest(repository, digest)
            except (RegistryError, IntegrityError) as error:
                errors.append(error)
                continue
            self.store.put(digest, raw.data)
            return raw
        raise errors[0]

    def _mend_blobs(self, todo: Collection[Broken]) -> None:
        needs = sorted(
            (
                BlobNeed(
                    descriptor=one.descriptor,
                    repositories=one.repositories,
                    images=tuple(map(safe, one.images)),
                )
                for one in todo
            ),
            key=lambda need: (-need.descriptor.size, need.descriptor.digest),
        )
        if not needs:
            return
        self.failed |= fetch_shown(
            needs,
            self.store,
            self.open_source(),
            progress=self.progress,
            clock=self.clock,
            jobs=self.jobs,
        )


def _is_manifest(descriptor: Descriptor) -> bool:
    kind = descriptor.media_type
    return mediatypes.is_index(kind) or mediatypes.is_manifest(kind)


def _nobody(one: Broken) -> AnswerNo:
    return AnswerNo(
        f"no name says which registry has {one.descriptor.digest}",
        mend="copy the image into the store anew with the tool that brought it",
    )


def _still_broken(digest: Digest) -> IntegrityError:
    return IntegrityError(f"blob {digest} was fetched, and is broken again", mend="check the disk")
