"""What a store has of an image: its manifests, their layers, and what the configs say.

    index or manifest -> for each platform that is here: config and layers, all there or not

Reads manifests and configs, each verified; layers are looked up, not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.oci.config import CONFIG_LIMIT, MalformedConfig, parse_config
from pinner.oci.manifest import MANIFEST_LIMIT, Index
from pinner.oci.runconfig import RunConfig, parse_run_config
from pinner.oci.stored import parse_stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.manifest import Manifest
    from pinner.oci.platform import Platform
    from pinner.store.layout import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredManifest:
    """An image for one platform, as the store has it.

    Attributes:
        platform: what the index or else the config says; None for an artifact.
        complete: whether config and layers are all here.
        created: the publisher's claim, usually RFC 3339; empty where there is none.
        labels: foreign text, to be shown only through `terminal.safe`.
        run: how it wants to be run; None where the config is not here, or an artifact's.
    """

    digest: Digest
    platform: Platform | None
    config: Descriptor
    layers: tuple[Descriptor, ...]
    complete: bool
    created: str
    labels: Mapping[str, str]
    run: RunConfig | None = None

    @property
    def blobs(self) -> dict[Digest, int]:
        """The config and the layers, each digest once, with its size."""
        return {blob.digest: blob.size for blob in (self.config, *self.layers)}

    @property
    def size(self) -> int:
        """Bytes of the config and the layers."""
        return sum(self.blobs.values())


def stored_manifests(store: Store, digest: Digest) -> tuple[StoredManifest, ...]:
    """The images under an index that are here, or the one image under a lone manifest.

    Raises:
        StoreError: neither is here.
        IntegrityError: a manifest or config is not what it should be.
    """
    parsed = _parsed(store, digest)
    if not isinstance(parsed, Index):
        return (_stored(store, digest, parsed, None),)
    found = []
    for member in parsed.images():
        if store.has(member.digest):
            image = _parsed(store, member.digest)
            if not isinstance(image, Index):
                found.append(_stored(store, member.digest, image, member.platform))
    return tuple(found)


def _parsed(store: Store, digest: Digest) -> Manifest | Index:
    return parse_stored(digest, store.read(digest, MANIFEST_LIMIT))


def _stored(
    store: Store, digest: Digest, manifest: Manifest, platform: Platform | None
) -> StoredManifest:
    created, labels, run = "", {}, None
    if store.has(manifest.config.digest):
        data = store.read(manifest.config.digest, CONFIG_LIMIT)
        try:
            config = parse_config(data)
        except MalformedConfig:
            pass  # an artifact's config is not an image's
        else:
            platform = platform or config.platform
            created, labels = config.created, dict(config.labels)
            run = parse_run_config(data)
    return StoredManifest(
        digest=digest,
        platform=platform,
        config=manifest.config,
        layers=manifest.layers,
        complete=all(store.has(blob.digest, blob.size) for blob in manifest.blobs()),
        created=created,
        labels=labels,
        run=run,
    )
