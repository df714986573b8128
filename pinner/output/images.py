"""What `pinner images` tells: docker's columns, and for which platform each image is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.oci.reference import InvalidReference, Reference
from pinner.output.dockerlike import ago, short_size, table
from pinner.output.inspect import created_time
from pinner.output.units import plural, size
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pinner.errors import PinnerError
    from pinner.oci.digest import Digest
    from pinner.store.contents import StoredManifest

_NONE: Final = "<none>"
_HEAD: Final = ["REPOSITORY", "TAG", "DIGEST", "IMAGE ID", "CREATED", "SIZE", "PLATFORM"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """A name of the store, and what is behind it.

    Attributes:
        name: as the store has it; another tool's may be any text.
        manifests: one for each platform that is here; or why they cannot be read.
        member_of: the digest of the index that brought this name; empty for all others.
    """

    name: str
    digest: Digest
    manifests: tuple[StoredManifest, ...] | PinnerError
    member_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """How the table is to look.

    Attributes:
        digests: with a column of the digests that the names stand for.
        truncate: image IDs of 12 figures.
    """

    digests: bool = False
    truncate: bool = True


def render_images(
    images: Sequence[NamedImage],
    *,
    store: str,
    now: float,
    shape: Columns = Columns(),
    asked: str = "",
) -> str:
    """A row for each name and platform, then the sum; a blob that images share counts once in it.

    Args:
        images: what the store names.
        store: where it is.
        now: seconds since the epoch, for ages.
        shape: which columns.
        asked: the name that the images were chosen by.
    """
    images = without_members(images)
    if not images:
        if asked:
            return f"No images of {safe(asked)} in {safe(store)}\n"
        return f"No images in {safe(store)}. Next: pinner sync\n"
    rows = [_HEAD, *_sorted(images, shape, now)]
    if not shape.digests:
        rows = [[*row[:2], *row[3:]] for row in rows]
    sum_up = f"{plural(len(images), 'image')}, {size(_sum(images))} in {safe(store)}"
    return f"{table(rows)}{sum_up}{_next(images)}\n"


def render_image_ids(images: Sequence[NamedImage], *, shape: Columns = Columns()) -> str:
    """The image IDs alone, one a line, each once, in the order of the table."""
    rows = _sorted(without_members(images), shape, now=0.0)
    ids = dict.fromkeys(row[_HEAD.index("IMAGE ID")] for row in rows)
    return "".join(f"{image_id}\n" for image_id in ids if image_id != _NONE)


def images_fields(images: Sequence[NamedImage], *, store: str) -> dict[str, Any]:
    """The JSON document: each name with its digest and platforms."""
    return {
        "store": safe(store),
        "bytes": _sum(images),
        "images": [_fields(image) for image in without_members(images)],
    }


def _fields(image: NamedImage) -> dict[str, Any]:
    repository, tag = _split(image.name)
    return {
        "reference": safe(image.name),
        "repository": repository,
        "tag": None if tag == _NONE else tag,
        "digest": str(image.digest),
        "damaged": not isinstance(image.manifests, tuple),
        "bytes": _sum([image]),
        "platforms": [
            {
                "platform": str(manifest.platform) if manifest.platform else None,
                "digest": str(manifest.digest),
                "image_id": str(manifest.config.digest),
                "created": safe(manifest.created) or None,
                "bytes": manifest.size,
                "complete": manifest.complete,
            }
            for manifest in _readable(image)
        ],
    }


def without_members(images: Sequence[NamedImage]) -> list[NamedImage]:
    """The images, less those that are named by digest only because their index is here too."""
    members = member_names(images)
    indexes = {str(image.digest) for image in images}
    return [
        image for image in images if image.name not in members and image.member_of not in indexes
    ]


def member_names(images: Iterable[NamedImage]) -> set[str]:
    """The names by digest that the members of these indexes have."""
    return {
        f"{_repository(image.name)}@{manifest.digest}"
        for image in images
        for manifest in _readable(image)
        if manifest.digest != image.digest
    }


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


def is_named(image: NamedImage, wanted: str) -> bool:
    """Whether the name is in this repository, and has this tag where `wanted` has one.

    Raises:
        InvalidReference: `wanted` is no reference.
    """
    asked = Reference.parse(wanted)
    try:
        found = Reference.parse(image.name)
    except InvalidReference:
        return False
    return found.repository == asked.repository and asked.tag in {None, found.tag}


def _sorted(images: Sequence[NamedImage], shape: Columns, now: float) -> list[list[str]]:
    """By name; an image's platforms as its index has them."""
    rows = [row for image in images for row in _rows(image, shape, now)]
    return sorted(rows, key=lambda row: row[:3])


def _rows(image: NamedImage, shape: Columns, now: float) -> list[list[str]]:
    """A row for each platform, with every column; one for what has none."""
    head = [*_split(image.name), str(image.digest)]
    if not isinstance(image.manifests, tuple):
        return [[*head, _NONE, "N/A", "N/A", "damaged"]]
    if not image.manifests:
        return [[*head, _NONE, "N/A", "0B", "incomplete"]]
    return [[*head, *_row(manifest, shape, now)] for manifest in image.manifests]


def _row(manifest: StoredManifest, shape: Columns, now: float) -> tuple[str, ...]:
    image_id = manifest.config.digest
    created = created_time(manifest.created)
    state = "" if manifest.complete else " (incomplete)"
    return (
        image_id.short if shape.truncate else str(image_id),
        ago(now - created.timestamp()) if created else "N/A",
        short_size(manifest.size),
        f"{manifest.platform or 'artifact'}{state}",
    )


def _split(name: str) -> tuple[str, str]:
    """Repository and tag as docker shows them; another tool's name is all repository."""
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return safe(name), _NONE
    return reference.repository.familiar(), reference.tag or _NONE


def _next(images: Sequence[NamedImage]) -> str:
    damaged = any(not isinstance(image.manifests, tuple) for image in images)
    incomplete = any(not manifest.complete for image in images for manifest in _readable(image))
    return ". Next: pinner verify" if damaged or incomplete else ""


def _readable(image: NamedImage) -> tuple[StoredManifest, ...]:
    return image.manifests if isinstance(image.manifests, tuple) else ()


def _sum(images: Iterable[NamedImage]) -> int:
    blobs: dict[Digest, int] = {}
    for image in images:
        for manifest in _readable(image):
            blobs.update(manifest.blobs)
    return sum(blobs.values())
