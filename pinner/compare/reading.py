"""What manifest and config say of one side of a comparison: from the store, else by digest.

    LockedImage, platform -> manifest -> config -> ImageFacts
                          -> index    -> annotations, attestations

What is asked of a registry is verified and kept in the store, so that it is asked for once. Tags
are never asked for, and nothing is asked where no source is given.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from pinner.compare.model import ImageFacts
from pinner.errors import IntegrityError, PinnerError, StoreError
from pinner.oci.config import CONFIG_LIMIT, ImageConfig, MalformedConfig, parse_config
from pinner.oci.fetch import read_blob
from pinner.oci.manifest import MANIFEST_LIMIT, Index, Manifest, parse_manifest
from pinner.oci.sources import BlobSource, ManifestSource
from pinner.oci.stored import parse_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pinner.lockfile import LockedImage
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository
    from pinner.store.layout import Store

_NO_DATE_BEFORE: Final = datetime(1980, 1, 1, tzinfo=UTC)


class CompareSource(ManifestSource, BlobSource, Protocol):
    """What a comparison asks of a registry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One image of a comparison.

    Attributes:
        digest: of the platform's manifest.
        index: what the tag named; None where it was that manifest, or is not at hand.
    """

    repository: Repository
    digest: Digest
    manifest: Manifest
    index: Index | None
    facts: ImageFacts

    @property
    def layers(self) -> tuple[Digest, ...]:
        """The digests of the layers, the lowest first."""
        return tuple(layer.digest for layer in self.manifest.layers)


class ImageReader:
    """Reads images out of a store and a registry.

    Args:
        store: None where there is none yet.
        open_source: opens the registry, when it is first needed; None where nothing may be asked.
        indexes: ask for a tag's index too, which costs a request and says where attestations are.
    """

    def __init__(
        self,
        store: Store | None,
        open_source: Callable[[], CompareSource] | None,
        *,
        indexes: bool = False,
    ) -> None:
        self._store = store
        self._open_source = open_source
        self._indexes = indexes

    def side(self, image: LockedImage, platform: Platform) -> Side | None:
        """The pin's image for one of its platforms; None where it is not here and none may ask.

        Raises:
            RegistryError: the registry did not deliver it.
            IntegrityError: it is not what it should be.
        """
        digest = image.platforms[platform]
        manifest = self.manifest(image.repository, digest)
        if manifest is None:
            return None
        if isinstance(manifest, Index):
            raise IntegrityError(f"{digest} is locked for {platform} but is an index, not an image")
        index = self._index(image, digest)
        config = self._config(image.repository, manifest.config)
        return Side(
            repository=image.repository,
            digest=digest,
            manifest=manifest,
            index=index,
            facts=ImageFacts(
                created=created_time(config.created) if config else None,
                layers=manifest.layers,
                labels=_labels(index, digest, manifest, config),
            ),
        )

    def manifest(
        self, repository: Repository, digest: Digest, *, ask: bool = True
    ) -> Manifest | Index | None:
        """The manifest or index of this digest; None where it is not here and none may ask.

        Args:
            repository: who has it.
            digest: of the manifest.
            ask: whether it is worth a request.

        Raises:
            RegistryError: the registry did not deliver it.
            IntegrityError: it is not what it should be.
        """
        if self._store is not None and self._store.has(digest):
            data = self._store.read(digest, MANIFEST_LIMIT)
            return parse_stored(digest, data)
        if self._open_source is None or not ask:
            return None
        raw = self._open_source().manifest(repository, digest)
        parsed = parse_manifest(raw)
        self._keep(digest, raw.data)
        return parsed

    def _index(self, image: LockedImage, digest: Digest) -> Index | None:
        """What the tag named, where that is no trouble: nothing but hints are in it."""
        if image.digest == digest:
            return None
        try:
            found = self.manifest(image.repository, image.digest, ask=self._indexes)
        except PinnerError:
            return None
        return found if isinstance(found, Index) else None

    def _config(self, repository: Repository, descriptor: Descriptor) -> ImageConfig | None:
        """The config; None where it is not at hand, or an artifact's."""
        if self._store is not None and self._store.has(descriptor.digest):
            data = self._store.read(descriptor.digest, CONFIG_LIMIT)
        elif self._open_source is not None:
            data = read_blob(self._open_source(), repository, descriptor)
            self._keep(descriptor.digest, data)
        else:
            return None
        try:
            return parse_config(data)
        except MalformedConfig:
            return None

    def _keep(self, digest: Digest, data: bytes) -> None:
        # A store that takes nothing is no reason to know nothing.
        if self._store is not None:
            with contextlib.suppress(StoreError):
                self._store.put(digest, data)


def created_time(text: str) -> datetime | None:
    """When an image was made, as its config claims; None where that is no evidence.

    Builders that make the same bytes every time write the epoch, others year one: no dates.
    """
    try:
        created = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        created = created.astimezone(UTC) if created.tzinfo else created.replace(tzinfo=UTC)
    except OverflowError:
        return None
    return created if created >= _NO_DATE_BEFORE else None


def _labels(
    index: Index | None, digest: Digest, manifest: Manifest, config: ImageConfig | None
) -> Mapping[str, str]:
    """The nearer to the image a label is written, the more it counts."""
    member = next((one for one in index.manifests if one.digest == digest), None) if index else None
    return {
        **(index.annotations if index else {}),
        **(member.annotations if member else {}),
        **manifest.annotations,
        **(config.labels if config else {}),
    }
