"""What a repository's files name: Dockerfiles first, files of hidden folders last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.files.model import Status
from pinner.oci.reference import Reference
from pinner.start.model import Sighting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.files.model import Place, PlannedFile, Tree

_NAMED: Final = frozenset({Status.PINNED, Status.UNPINNED})
_FIRST: Final = "dockerfile"


def sightings_of(tree: Tree) -> tuple[Sighting, ...]:
    """Every place that names an image, in the order in which people look at files.

    Args:
        tree: from `note_tree`.
    """
    return tuple(
        Sighting(reference=Reference.parse(place.text), where=place.where, name=place.entry)
        for place in _places(tree)
        if place.status in _NAMED
    )


def passed_over(tree: Tree) -> tuple[Place, ...]:
    """Every place that seems to name an image and cannot be read, without those to ignore."""
    return tuple(
        place
        for place in _places(tree)
        if place.status not in _NAMED and place.status is not Status.IGNORED
    )


def _places(tree: Tree) -> Iterator[Place]:
    for file in sorted(tree.files, key=_rank):
        yield from file.places


def _rank(file: PlannedFile) -> tuple[bool, bool, str]:
    return file.kind != _FIRST, file.shown.startswith("."), file.shown
