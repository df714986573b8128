"""Which images an archive is about: entries of a lockfile, names of a store, or all of those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.archive.find import Lacking, find_index, find_locked, find_named, usual_first
from pinner.archive.model import full_reference
from pinner.oci.reference import InvalidReference, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pinner.archive.model import Image
    from pinner.oci.platform import Platform
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor
    from pinner.sync.select import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Images that are in the store, and why others cannot go along."""

    images: tuple[Image, ...] = ()
    lacking: tuple[Lacking, ...] = ()

    def __add__(self, other: Chosen) -> Chosen:
        return Chosen(images=self.images + other.images, lacking=self.lacking + other.lacking)


def choose_entries(store: Store | None, entries: Iterable[Wanted], *, usual: bool) -> Chosen:
    """The locked images of these entries.

    Args:
        store: None where there is none yet.
        entries: with the manifests to take of each.
        usual: whether linux/amd64 comes first where it is among the platforms; else their order
            stays.

    Raises:
        IntegrityError: an entry contradicts what it names, or that is corrupt.
    """
    images: list[Image] = []
    lacking: list[Lacking] = []
    for entry in entries:
        manifests = list(entry.manifests)
        if usual:
            manifests.sort(key=lambda item: usual_first(item[0]))
        if store is None:
            lacking.append(Lacking(entry.image.name))
            continue
        try:
            images.append(find_locked(store, entry.image, manifests))
        except Lacking as error:
            lacking.append(error)
    return Chosen(images=tuple(images), lacking=tuple(lacking))


def choose_named(
    store: Store, references: Mapping[str, NamedDescriptor], platforms: Sequence[Platform]
) -> Chosen:
    """What the store has of images that it names.

    Args:
        store: the store.
        references: what the user calls them -> what `lookup` found.
        platforms: those to take; none for every one that is complete.

    Raises:
        IntegrityError: a manifest or config is not what it should be.
    """
    images: list[Image] = []
    lacking: list[Lacking] = []
    for asked, named in references.items():
        try:
            image = find_named(store, asked, named.name, named.descriptor.digest, platforms)
        except Lacking as error:
            lacking.append(error)
        else:
            images.append(image)
    return Chosen(images=tuple(images), lacking=tuple(lacking))


def choose_all(store: Store, platforms: Sequence[Platform]) -> Chosen:
    """Every image of the store, by the short form of its name.

    Names by digest that an image has only for being a member of an index that is taken are left
    out, as `pinner images` leaves them out.

    Raises:
        IntegrityError: a manifest or config is not what it should be.
    """
    named = {image.name: image for image in store.images()}
    members = {name for image in named.values() for name in _member_names(store, image)}
    return choose_named(
        store,
        {_familiar(name): image for name, image in named.items() if name not in members},
        platforms,
    )


def lookup(known: Mapping[str, NamedDescriptor], text: str) -> NamedDescriptor | None:
    """What a store names `text`, as it is or written out in full; None for nothing.

    Args:
        known: the store's names.
        text: may have tag and digest, as files pin images; then both have to be right.
    """
    if text in known:
        return known[text]
    try:
        reference = Reference.parse(text).tag_or_latest()
    except InvalidReference:
        return None
    if reference.tag is None or reference.digest is None:
        return known.get(str(reference))
    for candidate in (reference.with_digest(None), reference.with_tag(None)):
        named = known.get(str(candidate))
        if named is not None and named.descriptor.digest == reference.digest:
            return named
    return None


def _member_names(store: Store, named: NamedDescriptor) -> set[str]:
    """The names by digest that go with the name of an index."""
    reference = full_reference(named.name)
    if reference is None:
        return set()
    index = find_index(store, named.descriptor.digest)
    members = index.manifests if index is not None else ()
    return {f"{reference.repository}@{member.digest}" for member in members}


def _familiar(name: str) -> str:
    reference = full_reference(name)
    return reference.familiar() if reference else name
