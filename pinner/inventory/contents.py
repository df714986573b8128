"""A layer, and what it does to the files that matter, as values (image-spec layer.md)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.oci.descriptor import Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer of an image, and the file that has its bytes.

    Attributes:
        path: None where it is not at hand.
    """

    descriptor: Descriptor
    path: Path | None


class Kind(enum.Enum):
    """What stands at a path."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    OTHER = "device or FIFO"


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of a layer.

    Attributes:
        path: normalised.
        target: of a link; a symbolic link's as it stands there, a hard link's normalised.
        data: of a file that was wanted and could be taken, else None.
    """

    path: str
    kind: Kind
    target: str = ""
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The part of a layer that matters.

    Attributes:
        entries: in the layer's order; of a path that is there twice, the last.
        hidden: paths that whiteouts take away from the layers below.
        emptied: folders that the layers below have no part in any more (opaque).
        notes: what is odd, each one line that is safe to print.
    """

    entries: tuple[Entry, ...] = ()
    hidden: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
