"""Which entries of two lockfiles differ (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.compare.model import ImageChange

if TYPE_CHECKING:
    from pinner.lockfile import Lock, LockedImage


def changed_images(old: Lock, new: Lock) -> tuple[ImageChange, ...]:
    """The entries that are new, gone or another pin, by name; nothing is known of their images yet.

    A pin is another one where its repository, tag, digest or platforms differ. Whether the spec
    asked for all platforms by name or by leaving them out makes no difference to what is pinned.
    """
    before = {image.name: image for image in old.images}
    after = {image.name: image for image in new.images}
    pairs = ((name, before.get(name), after.get(name)) for name in sorted({*before, *after}))
    return tuple(
        ImageChange(name=name, before=one, after=other)
        for name, one, other in pairs
        if _pin(one) != _pin(other)
    )


def _pin(image: LockedImage | None) -> object:
    if image is None:
        return None
    return image.repository, image.tag, image.digest, dict(image.platforms)
