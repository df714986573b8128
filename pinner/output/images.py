"""What `pinner images` tells: what the store names, for which platforms, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.oci.reference import InvalidReference, Reference
from pinner.output.tables import columns
from pinner.output.units import plural, size
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinner.errors import PinnerError
    from pinner.oci.digest import Digest
    from pinner.store.contents import StoredManifest

_FEW: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """A name of the store, and what is behind it.

    Attributes:
        name: as the store has it; another tool's may be any text.
        manifests: one for each platform that is here; or why they cannot be read.
    """

    name: str
    digest: Digest
    manifests: tuple[StoredManifest, ...] | PinnerError


def render_images(images: Sequence[NamedImage], *, store: str) -> str:
    """A row for each name, then the sum; a blob that images share counts once in it.

    Args:
        images: what the store names.
        store: where it is.
    """
    images = without_members(images)
    if not images:
        return f"No images in {safe(store)}. Next: pinner sync\n"
    rows = columns(
        sorted((familiar(image.name), image.digest.short, *_contents(image)) for image in images),
        indent=0,
        right=[3],
    )
    return f"{rows}{plural(len(images), 'image')}, {size(_sum(images))} in {safe(store)}\n"


def images_fields(images: Sequence[NamedImage], *, store: str) -> dict[str, Any]:
    """The JSON document: each name with its digest and platforms."""
    return {
        "store": safe(store),
        "bytes": _sum(images),
        "images": [
            {
                "reference": safe(image.name),
                "digest": str(image.digest),
                "damaged": not isinstance(image.manifests, tuple),
                "bytes": _sum([image]),
                "platforms": [
                    {
                        "platform": str(manifest.platform) if manifest.platform else None,
                        "digest": str(manifest.digest),
                        "bytes": manifest.size,
                        "complete": manifest.complete,
                    }
                    for manifest in _readable(image)
                ],
            }
            for image in without_members(images)
        ],
    }


def without_members(images: Sequence[NamedImage]) -> list[NamedImage]:
    """The images, less those that are named by digest only because their index is here too."""
    members = {
        f"{_repository(image.name)}@{manifest.digest}"
        for image in images
        for manifest in _readable(image)
        if manifest.digest != image.digest
    }
    return [image for image in images if image.name not in members]


def _repository(name: str) -> str:
    try:
        return str(Reference.parse(name).repository)
    except InvalidReference:
        return ""


def familiar(name: str) -> str:
    """A name of the store in the short form that people write; another tool's as it is."""
    try:
        return Reference.parse(name).familiar()
    except InvalidReference:
        return safe(name)


def _contents(image: NamedImage) -> tuple[str, ...]:
    if not isinstance(image.manifests, tuple):
        return ("damaged: run `pinner verify`",)
    platforms = [str(manifest.platform or "artifact") for manifest in image.manifests]
    shown = ", ".join(platforms) if len(platforms) <= _FEW else plural(len(platforms), "platform")
    lacking = () if all(manifest.complete for manifest in image.manifests) else ("incomplete",)
    return (shown, size(_sum([image])), *lacking)


def _readable(image: NamedImage) -> tuple[StoredManifest, ...]:
    return image.manifests if isinstance(image.manifests, tuple) else ()


def _sum(images: Iterable[NamedImage]) -> int:
    blobs: dict[Digest, int] = {}
    for image in images:
        for manifest in _readable(image):
            blobs.update(manifest.blobs)
    return sum(blobs.values())
