"""An ImagesLock of imgpkg and kbld (imgpkg.carvel.dev/v1alpha1), as kbld writes it.

The annotation is the name that a configuration has; kbld compares it letter for letter, so it is
the short form that people write. Values stand in quotes: `1:2` would be a number to YAML 1.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.export.model import Rendered
from pinner.oci.reference import DEFAULT_REGISTRY, Reference

if TYPE_CHECKING:
    from pinner.export.model import Wish
    from pinner.oci.reference import Repository

_HEAD: Final = "---\napiVersion: imgpkg.carvel.dev/v1alpha1\n"
_TAIL: Final = "kind: ImagesLock\n"
_HUB: Final = "index.docker.io"


def render_images_lock(wish: Wish) -> Rendered:
    """The lock, sorted by what configurations call the images.

    Raises:
        InputError: an image is not locked for the platform.
    """
    pairs = {
        (
            Reference(
                image.repository, image.tag, None if image.tag else wish.digest_of(image)
            ).familiar(),
            f"{_spelled(image.repository)}@{wish.digest_of(image)}",
        )
        for image in wish.images
    }
    items = "".join(
        f'- annotations:\n    kbld.carvel.dev/id: "{name}"\n  image: "{image}"\n'
        for name, image in sorted(pairs)
    )
    images = f"images:\n{items}" if items else ""
    return Rendered(
        text=f"{_HEAD}{images}{_TAIL}", names=tuple(image.name for image in wish.images)
    )


def _spelled(repository: Repository) -> str:
    """As the tools themselves write it, who call Docker Hub by its index."""
    registry = _HUB if repository.registry == DEFAULT_REGISTRY else repository.registry
    return f"{registry}/{repository.path}"
