"""Which images and platforms of a lockfile a sync is about (pure)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.errors import InputError
from pinner.outcome import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.lockfile import Lock, LockedImage
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A locked image, and the manifests of it that the store shall hold with all their blobs."""

    image: LockedImage
    manifests: tuple[tuple[Platform, Digest], ...]


def select_images(
    lock: Lock,
    *,
    names: Sequence[str] = (),
    platforms: Sequence[Platform] | None,
) -> tuple[Wanted | Failed, ...]:
    """The wanted part of a lockfile, in its order.

    Args:
        lock: what is locked.
        names: the entries to take; empty for all.
        platforms: the platforms to take; None for every locked one.

    Returns:
        For each entry what is wanted of it, or why it cannot be had (it lacks a platform).

    Raises:
        InputError: a name that the lockfile does not have.
    """
    known = {image.name for image in lock.images}
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise InputError(
                f'images.lock has no image "{name}"',
                mend=f'did you mean "{close[0]}"?' if close else "run `pinner lock`",
            )
    taken = [image for image in lock.images if not names or image.name in names]
    return tuple(_wanted(image, platforms) for image in taken)


def _wanted(image: LockedImage, platforms: Sequence[Platform] | None) -> Wanted | Failed:
    if platforms is None:
        return Wanted(image=image, manifests=tuple(image.platforms.items()))
    manifests: dict[Platform, Digest] = {}
    for platform in platforms:
        found = {
            locked: digest for locked, digest in image.platforms.items() if platform.matches(locked)
        }
        if not found:
            locked_platforms = ", ".join(map(str, image.platforms))
            error = InputError(
                f"{image.name} is not locked for {platform}, only for {locked_platforms}",
                where="images.lock",
                mend=f"add {platform} to its platforms in images.toml and run `pinner lock`, "
                "or choose with --platform",
            )
            return Failed(name=image.name, error=error)
        manifests.update(found)
    return Wanted(image=image, manifests=tuple(manifests.items()))
