"""The manifests of a wanted image: from the store where it has them, else by digest.

Tags are never asked for (design section 4). A manifest is put into the store as soon as it is
verified, so that a run that is cut off later does not ask for it twice.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from pinner.errors import IntegrityError, NotFound, PinnerError
from pinner.oci.descriptor import Descriptor
from pinner.oci.manifest import MANIFEST_LIMIT, Index, Manifest, expand, parse_manifest
from pinner.oci.reference import Reference
from pinner.oci.sources import BlobSource, ManifestSource, RawManifest
from pinner.oci.stored import parse_stored
from pinner.store.names import member
from pinner.sync.plan import ImageNeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pinner.lockfile import LockedImage
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository
    from pinner.store.layout import Store
    from pinner.sync.select import Wanted


class SyncSource(ManifestSource, BlobSource, Protocol):
    """What a sync asks of a registry."""

    def head(self, reference: Reference) -> Digest | None:
        """As `Resolver.head`: asked only to say what became of a pin that is gone."""
        ...


class ManifestGatherer:
    """Brings manifests into a store and says what each image needs."""

    def __init__(
        self,
        store: Store,
        open_source: Callable[[], SyncSource],
        warn: Callable[[str], None],
        hold: Callable[[Iterable[Digest]], None],
    ) -> None:
        """Gather for one run.

        Args:
            store: where from, and where to.
            open_source: opens the registry, when something is missing.
            warn: takes what the user should know.
            hold: keeps blobs from being pruned; called before it is looked whether they are here.
        """
        self._store = store
        self._open_source = open_source
        self._warn = warn
        self._hold = hold

    def missing(self, wanted: Iterable[Wanted]) -> list[Digest]:
        """The digests of the indexes and manifests that will have to be fetched."""
        digests = dict.fromkeys(
            digest
            for item in wanted
            for digest in (item.image.digest, *(digest for _, digest in item.manifests))
        )
        self._hold(digests)
        return [digest for digest in digests if not self._store.has(digest)]

    def gather(self, wanted: Wanted) -> ImageNeed:
        """What the image consists of; its manifests are in the store afterwards.

        Raises:
            IntegrityError: index, manifests and lockfile contradict one another.
            RegistryError: a manifest could not be fetched.
        """
        image = wanted.image
        index = self._index(image, wanted)
        manifests: dict[Platform, tuple[RawManifest, Manifest]] = {}
        for platform, digest in wanted.manifests:
            try:
                raw, parsed = self._fetch(image.repository, digest)
            except NotFound as error:
                raise self._gone(image, platform, digest, error) from error
            manifests[platform] = raw, _image_manifest(digest, parsed, image, platform)
        if index is None and image.digest not in image.platforms.values():
            self._warn(
                f"{image.name}: the registry dropped the index {image.digest}; "
                "the locked manifests are still served"
            )
        root = index if index is not None else next(iter(manifests.values()))[0]
        blobs = {
            blob.digest: blob for _, manifest in manifests.values() for blob in manifest.blobs()
        }
        reference = str(_name_in_store(image))
        return ImageNeed(
            name=image.name,
            reference=reference,
            repository=image.repository,
            names={
                **_member_names(image, index, [raw for raw, _ in manifests.values()]),
                reference: _descriptor(root),
            },
            platforms=tuple(manifests),
            blobs=tuple(blobs.values()),
            configs=tuple(
                (platform, manifest.config) for platform, (_, manifest) in manifests.items()
            ),
        )

    def _index(self, image: LockedImage, wanted: Wanted) -> RawManifest | None:
        """The tag's index; None where the tag is a lone manifest, or the registry dropped it."""
        if image.digest in dict(wanted.manifests).values():
            return None
        try:
            raw, parsed = self._fetch(image.repository, image.digest)
        except NotFound:
            return None
        if not isinstance(parsed, Index):
            raise IntegrityError(
                f"{image.name}: {raw.digest} is an image, and not one of its locked platforms",
                where="images.lock",
            )
        expanded = expand(parsed, lambda nested: self._fetch(image.repository, nested.digest)[0])
        _check_members(expanded, wanted)
        return raw

    def _gone(
        self, image: LockedImage, platform: Platform, digest: Digest, error: NotFound
    ) -> NotFound:
        """What the user needs to know of a locked manifest that is not served any more."""
        now = None
        if image.tag is not None:
            # The tag decides nothing here: it tells the user what there is instead.
            with contextlib.suppress(PinnerError):
                now = self._open_source().head(Reference(image.repository, image.tag))
        return NotFound(
            f"{image.name} ({image.repository}@{digest}, {platform}) is gone from the registry",
            where=error.where,
            mend=(
                *([f"its tag {image.tag} now points to {now}"] if now else error.mend),
                "take its table out of images.lock and run `pinner lock`",
            ),
        )

    def _fetch(
        self, repository: Repository, digest: Digest
    ) -> tuple[RawManifest, Manifest | Index]:
        self._hold([digest])
        if self._store.has(digest):
            data = self._store.read(digest, MANIFEST_LIMIT)
            parsed = parse_stored(digest, data)
            return RawManifest(media_type=parsed.media_type, digest=digest, data=data), parsed
        raw = self._open_source().manifest(repository, digest)
        parsed = parse_manifest(raw)
        self._store.put(digest, raw.data)
        return raw, parsed


def _member_names(
    image: LockedImage, index: RawManifest | None, manifests: Sequence[RawManifest]
) -> dict[str, Descriptor]:
    """Each manifest by its digest: below an index; in its own right where that was dropped."""
    return {
        f"{image.repository}@{raw.digest}": (
            _descriptor(raw) if index is None else member(_descriptor(raw), index.digest)
        )
        for raw in (manifests if index is not None or len(manifests) > 1 else ())
    }


def _descriptor(raw: RawManifest) -> Descriptor:
    return Descriptor(media_type=raw.media_type, digest=raw.digest, size=len(raw.data))


def _name_in_store(image: LockedImage) -> Reference:
    if image.tag is not None:
        return Reference(repository=image.repository, tag=image.tag)
    return Reference(repository=image.repository, digest=image.digest)


def _image_manifest(
    digest: Digest, parsed: Manifest | Index, image: LockedImage, platform: Platform
) -> Manifest:
    if isinstance(parsed, Manifest):
        return parsed
    raise IntegrityError(
        f"{image.name}: {digest} is locked for {platform} but is an index, not an image",
        where="images.lock",
    )


def _check_members(index: Index, wanted: Wanted) -> None:
    """The locked manifests are the index's own, for the platforms that the lockfile says."""
    images = index.images()
    for platform, digest in wanted.manifests:
        if not any(
            member.digest == digest and member.platform and platform.matches(member.platform)
            for member in images
        ):
            image = wanted.image
            raise IntegrityError(
                f"{image.name}: the index {image.digest.short} does not have {digest} "
                f"for {platform}",
                where="images.lock",
                mend="the lockfile was edited or merged wrongly: take the entry out and run "
                "`pinner lock`",
            )
