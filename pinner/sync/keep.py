"""What lockfiles want to be kept in a store (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.oci.reference import Reference
from pinner.store.prune import Keep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.lockfile import Lock, LockedImage
    from pinner.oci.digest import Digest


def kept_by(locks: Iterable[Lock]) -> Keep:
    """Every digest that the lockfiles pin, and every name that a sync of them gives."""
    images = [image for lock in locks for image in lock.images]
    return Keep(
        names=frozenset(name for image in images for name in _names(image)),
        digests=frozenset(digest for image in images for digest in _digests(image)),
    )


def _digests(image: LockedImage) -> tuple[Digest, ...]:
    return (image.digest, *image.platforms.values())


def _names(image: LockedImage) -> list[str]:
    by_digest = [str(Reference(image.repository, digest=digest)) for digest in _digests(image)]
    return [str(Reference(image.repository, image.tag)), *by_digest] if image.tag else by_digest
