"""What an archive consists of, byte for byte, apart from the blobs' own bytes (pure).

    blobs/<algorithm>/<hex>  …      sorted; each blob once, however many images share it
    index.json  manifest.json  oci-layout       see `documents`

The names come last, so that what was cut short has none. The same images give the same bytes,
whatever order they were named in. The index of a tag goes along as a blob in any case, so that its
digest can be checked, and `pinner sync --offline` finds it in the unpacked archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.archive.documents import LAYOUT, index_json, manifest_json, roots_of
from pinner.archive.model import blob_path
from pinner.archive.tar import END, header, padded
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinner.archive.documents import Roots
    from pinner.archive.model import Image
    from pinner.oci.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that is made here."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A blob that comes from the store."""

    digest: Digest
    size: int

    @property
    def name(self) -> str:
        """Its path in the layout."""
        return blob_path(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What one image has become.

    Attributes:
        image: the image.
        digests: what index.json names for it.
    """

    image: Image
    digests: tuple[Digest, ...]

    @property
    def blobs(self) -> tuple[StoredBlob, ...]:
        """What it needs of the store, each once."""
        return tuple(
            StoredBlob(digest=digest, size=size) for digest, size in _stored(self.image).items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivePlan:
    """A whole archive.

    Attributes:
        entries: in the order of the tar.
        images: by name.
    """

    entries: tuple[File | StoredBlob, ...]
    images: tuple[Named, ...]

    @property
    def size(self) -> int:
        """Bytes of the tar."""
        return len(END) + sum(
            len(header(entry.name, size)) + padded(size)
            for entry in self.entries
            for size in [entry.size if isinstance(entry, StoredBlob) else len(entry.data)]
        )

    @property
    def blobs(self) -> tuple[StoredBlob, ...]:
        """What comes from the store, in the order of the tar."""
        return tuple(entry for entry in self.entries if isinstance(entry, StoredBlob))


def plan_archive(images: Sequence[Image]) -> ArchivePlan:
    """The archive of these images.

    Raises:
        InputError: two of them have one name and are not the same image.
    """
    ordered = _unique(images)
    roots = {image.name: roots_of(image) for image in ordered}
    named = tuple(
        Named(
            image=image,
            digests=tuple(root.digest for _, root in roots[image.name].entries),
        )
        for image in ordered
    )
    documents = {
        "index.json": index_json(entry for found in roots.values() for entry in found.entries),
        "manifest.json": manifest_json(ordered),
        "oci-layout": LAYOUT,
    }
    return ArchivePlan(
        entries=(
            *sorted(_blobs(ordered, roots.values()), key=lambda blob: blob.name),
            *(File(name=name, data=data) for name, data in documents.items() if data),
        ),
        images=named,
    )


def _blobs(images: Iterable[Image], roots: Iterable[Roots]) -> Iterator[File | StoredBlob]:
    """Each blob once, in any order."""
    stored: dict[Digest, int] = {}
    for image in images:
        stored.update(_stored(image))
    for digest, size in stored.items():
        yield StoredBlob(digest=digest, size=size)
    made = {found.made.digest: found.made.data for found in roots if found.made is not None}
    for digest, data in made.items():
        if digest not in stored:
            yield File(name=blob_path(digest), data=data)


def _stored(image: Image) -> dict[Digest, int]:
    """The sizes of what an image needs of the store."""
    sizes: dict[Digest, int] = {}
    if image.index is not None:
        sizes[image.index[0].digest] = len(image.index[0].data)
    for member in image.members:
        sizes.update({blob.digest: blob.size for blob in member.blobs()})
    return sizes


def _unique(images: Sequence[Image]) -> list[Image]:
    """By name, each once."""
    found: dict[str, Image] = {}
    for image in images:
        known = found.setdefault(image.name, image)
        if (known.index, known.members) != (image.index, image.members):
            shown = safe(image.name)
            raise InputError(
                f"{safe(known.asked)} and {safe(image.asked)} are different images, and an archive "
                f"can have only one {shown}",
                mend="export them one by one",
            )
    return [found[name] for name in sorted(found)]
