"""Made-up results of runs, for what is said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.lockfile import LockedImage
from pinner.oci import mediatypes
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.store.contents import StoredManifest

if TYPE_CHECKING:
    from pinner.oci.runconfig import RunConfig

AMD64 = Platform.parse("linux/amd64")
ARM64 = Platform.parse("linux/arm64")


def digest(number: int) -> Digest:
    """A digest that is easy to tell from others."""
    return Digest.parse(f"sha256:{number:02x}" + f"{number:02x}" * 31)


def locked(
    name: str,
    tag: str | None,
    number: int,
    *platforms: Platform,
    repository: str | None = None,
) -> LockedImage:
    """A pin."""
    return LockedImage(
        name=name,
        repository=Repository.parse(repository or name),
        tag=tag,
        digest=digest(number),
        platforms={platform: digest(number + 1) for platform in platforms or (AMD64, ARM64)},
    )


def descriptor(number: int, size: int) -> Descriptor:
    """A layer or config of this size."""
    return Descriptor(media_type=mediatypes.OCI_LAYER_GZIP, digest=digest(number), size=size)


def stored(
    number: int,
    *layers: Descriptor,
    platform: Platform | None = AMD64,
    complete: bool = True,
    created: str = "2026-11-15T10:00:00.123456789Z",
    labels: dict[str, str] | None = None,
    run: RunConfig | None = None,
) -> StoredManifest:
    """An image for one platform in a store."""
    return StoredManifest(
        digest=digest(number),
        platform=platform,
        config=descriptor(number + 1, 1_500),
        layers=layers,
        complete=complete,
        created=created,
        labels=labels or {},
        run=run,
    )
