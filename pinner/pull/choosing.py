"""From what a reference names to the manifests that are wanted of it.

Platforms match strictly, as everywhere in pinner (design section 2): an index without a wanted
platform, or a lone image for another one, is an error and no silent substitute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.lockfile import LockedImage
from pinner.oci import mediatypes
from pinner.oci.config import parse_config
from pinner.oci.manifest import (
    Index,
    MalformedManifest,
    Manifest,
    NoSuchPlatform,
    expand,
    parse_manifest,
    select,
)
from pinner.pull.words import (
    no_matching_manifest,
    other_platform,
    schema1_removed,
    unsupported,
)
from pinner.sync.select import Wanted
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Reference
    from pinner.oci.sources import RawManifest
    from pinner.pull.finding import Finder
    from pinner.pull.model import Target

# What registries are known to give a config besides the right type; docker takes the same.
_CONFIGS: Final = frozenset(
    {
        *(mediatypes.OCI_CONFIG, mediatypes.DOCKER_CONFIG),
        *("application/octet-stream", "application/json", "text/html", ""),
    }
)
# How layers' types begin. A signature of cosign's has an image's config and another layer.
_LAYERS: Final = ("application/vnd.oci.image.", "application/vnd.docker.")


class Artifact(MalformedManifest):
    """A manifest that is no container image: `-a` passes over those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The wanted manifests of a reference, each with its platform."""

    target: Target
    digest: Digest
    manifests: tuple[tuple[Platform, Digest, Manifest], ...]

    @property
    def wanted(self) -> Wanted:
        """The same as `sync` takes it."""
        platforms = {platform: digest for platform, digest, _ in self.manifests}
        reference = self.target.reference
        image = LockedImage(
            name=self.target.name,
            repository=reference.repository,
            tag=reference.tag,
            digest=self.digest,
            platforms=platforms,
        )
        return Wanted(image=image, manifests=tuple(platforms.items()))

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """The layers of all manifests, each once."""
        layers = {
            layer.digest: layer for *_, manifest in self.manifests for layer in manifest.layers
        }
        return tuple(layers.values())

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The configs and layers of all manifests, each once."""
        blobs = {blob.digest: blob for *_, manifest in self.manifests for blob in manifest.blobs()}
        return tuple(blobs.values())


def choose(
    target: Target, raw: RawManifest, finder: Finder, platforms: Sequence[Platform]
) -> Chosen:
    """The manifests of a reference for the wanted platforms.

    Args:
        target: what is pulled.
        raw: what it names.
        finder: brings nested indexes, manifests and a lone image's config.
        platforms: at least one.

    Raises:
        NoSuchPlatform: a wanted platform is not there.
        Artifact: no container image.
        IntegrityError: a document that cannot be trusted, or other bytes than its digest names.
        RegistryError: a manifest or config was not delivered.
    """
    reference = target.reference
    parsed = _parsed(raw, reference)
    if isinstance(parsed, Manifest):
        found = _lone(parsed, reference, finder, platforms)
        return Chosen(
            target=target,
            digest=raw.digest,
            manifests=tuple((platform, raw.digest, found) for platform in platforms),
        )
    index = expand(parsed, lambda member: finder.manifest(reference.repository, member.digest))
    chosen = {platform: _member(index, platform) for platform in platforms}
    return Chosen(
        target=target,
        digest=raw.digest,
        manifests=tuple(
            (platform, digest, _image(finder.manifest(reference.repository, digest), reference))
            for platform, digest in chosen.items()
        ),
    )


def _parsed(raw: RawManifest, reference: Reference) -> Manifest | Index:
    if mediatypes.is_schema1(raw.media_type):
        raise schema1_removed(reference)
    return parse_manifest(raw)


def _member(index: Index, platform: Platform) -> Digest:
    try:
        return select(index, platform).digest
    except NoSuchPlatform as error:
        raise no_matching_manifest(error, platform) from error


def _image(raw: RawManifest, reference: Reference) -> Manifest:
    parsed = _parsed(raw, reference)
    if isinstance(parsed, Index):
        raise MalformedManifest(
            f"{raw.digest} is an index where {reference.familiar()} promises an image"
        )
    _require_image(parsed)
    return parsed


def _lone(
    manifest: Manifest, reference: Reference, finder: Finder, platforms: Sequence[Platform]
) -> Manifest:
    """A manifest without an index: only its config says what it is for."""
    _require_image(manifest)
    data = finder.config(reference.repository, manifest.config)
    offered = parse_config(data).platform
    for platform in platforms:
        if not platform.matches(offered):
            raise other_platform(reference, platform, offered)
    finder.keep(manifest.config, data)
    return manifest


def _require_image(manifest: Manifest) -> None:
    """Refuse what docker refuses: a config or layer of a type that no image has."""
    strange = [
        layer.media_type
        for layer in manifest.layers
        if not layer.media_type.lower().startswith(_LAYERS) and layer.media_type not in _CONFIGS
    ]
    if manifest.config.media_type not in _CONFIGS:
        strange.insert(0, manifest.config.media_type)
    if strange:
        error = unsupported(safe(strange[0], limit=160))
        raise Artifact(error.what, mend=error.mend)
