"""Lockfiles of other tools: told by what is in them, read into sightings.

A new one is a module with one function and a row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.start import dockerlock, imgpkg, npins

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.start.model import Sighting

FILE_LIMIT: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """One kind of lockfile.

    Attributes:
        name: as messages have it.
        marks: one of them is in every such file, and in few others.
        read: what it pins; takes the bytes and the file's name for messages, raises `InputError`.
    """

    name: str
    marks: tuple[bytes, ...]
    read: Callable[[bytes, str], tuple[Sighting, ...]]


FOREIGN: Final = (
    Foreign(
        name="docker-lock",
        marks=(b'"dockerfiles"', b'"composefiles"', b'"kubernetesfiles"'),
        read=dockerlock.read_sightings,
    ),
    Foreign(name="imgpkg", marks=(b"imgpkg.carvel.dev/",), read=imgpkg.read_sightings),
    Foreign(name="npins", marks=(b'"pins"',), read=npins.read_sightings),
)


def foreign_of(data: bytes) -> Foreign | None:
    """Which tool made the file; None for a file of no such tool."""
    return next((one for one in FOREIGN if any(mark in data for mark in one.marks)), None)
