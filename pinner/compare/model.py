"""What is known of two pins of one image, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pinner.inventory.model import PackageChanges
    from pinner.lockfile import LockedImage
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What manifest and config say of one image; all of it is the publisher's claim.

    Attributes:
        created: None where the config gives none, or a time that is no evidence (the epoch, year
            one).
        layers: the lowest first, as stored (compressed).
        labels: of the config, with the index's and the manifest's annotations beneath; foreign
            text.
    """

    created: datetime | None
    layers: tuple[Descriptor, ...]
    labels: Mapping[str, str]

    @property
    def size(self) -> int:
        """Bytes of the layers as they are downloaded, each once."""
        return sum({layer.digest: layer.size for layer in self.layers}.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChange:
    """What became of one entry of the lockfile.

    Attributes:
        before: None where the entry is new.
        after: None where the entry is gone.
        platform: which platform's images the facts and packages are of; None where the two pins
            have none in common.
        old: facts of the older image; None where they could not be had.
        new: facts of the newer image; None where they could not be had.
        packages: None where they were not looked at.
        link: the URL of a page that compares the sources; empty where the labels give none.
        notes: what could not be told and why, each one line that is safe to print.
    """

    name: str
    before: LockedImage | None
    after: LockedImage | None
    platform: Platform | None = None
    old: ImageFacts | None = None
    new: ImageFacts | None = None
    packages: PackageChanges | None = None
    link: str = ""
    notes: tuple[str, ...] = ()

    @property
    def gained(self) -> tuple[Platform, ...]:
        """Platforms that only the newer pin has."""
        before = self.before.platforms if self.before else {}
        return tuple(platform for platform in _platforms(self.after) if platform not in before)

    @property
    def lost(self) -> tuple[Platform, ...]:
        """Platforms that only the older pin has."""
        after = self.after.platforms if self.after else {}
        return tuple(platform for platform in _platforms(self.before) if platform not in after)

    @property
    def kept_layers(self) -> int | None:
        """How many of the newer image's layers the older one has; None without both facts."""
        if self.old is None or self.new is None:
            return None
        known = {layer.digest for layer in self.old.layers}
        return sum(layer.digest in known for layer in self.new.layers)


def _platforms(image: LockedImage | None) -> tuple[Platform, ...]:
    return tuple(image.platforms) if image else ()
