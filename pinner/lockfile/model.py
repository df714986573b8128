"""What images.lock says, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository

LOCK_VERSION: Final = 1
"""The version that is written, and the only one that is read."""

LOCK_REVISION: Final = 1
"""The revision that is written; later ones only add keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedImage:
    """One pinned image.

    Attributes:
        tag: the tag that was resolved; None where the spec names a digest alone.
        digest: what the tag named: an index, or a lone manifest.
        platforms: the manifest for each locked platform, sorted as `str()` of the platforms is.
        all_platforms: the spec names no platforms, so that these are all that were offered.
    """

    name: str
    repository: Repository
    tag: str | None
    digest: Digest
    platforms: Mapping[Platform, Digest]
    all_platforms: bool = False

    def __post_init__(self) -> None:
        in_order = sorted(self.platforms.items(), key=lambda item: str(item[0]))
        object.__setattr__(self, "platforms", MappingProxyType(dict(in_order)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A whole images.lock.

    Attributes:
        images: sorted by name, however they were given; names are unique.
        revision: that of the file it was read from. Above `LOCK_REVISION` there may have been keys
            that this pinner does not know, and that `dumps` would not write again.
    """

    images: tuple[LockedImage, ...] = ()
    revision: int = field(default=LOCK_REVISION, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", tuple(sorted(self.images, key=attrgetter("name"))))
