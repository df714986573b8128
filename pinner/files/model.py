"""What was found in the project's files, and what they will say."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.errors import PinnerError
    from pinner.rewrite.matching import Unmatched
    from pinner.rewrite.model import Reason


class Status(enum.Enum):
    """What a place that names an image comes to; the values are what output shows."""

    PINNED = "pinned"
    """It says what images.lock says."""
    UNPINNED = "unpinned"
    """It has no digest, and can have one."""
    STALE = "stale"
    """It has another digest or tag than images.lock."""
    UNKNOWN = "unknown"
    """No entry of images.toml says what it should be."""
    UNRESOLVABLE = "unresolvable"
    """What it names cannot be told from the file, or it has no place for a digest."""
    SKIPPED = "skipped"
    """A template, or a form that the file's own tool refuses or that pinner does not read."""
    IGNORED = "ignored"
    """A comment says to leave it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place that names an image, or seems to.

    Attributes:
        file: as messages name it.
        line: from 1.
        text: what the file has there, or what its own tool reads there; safe to print.
        entry: the entry of images.toml that it means; empty for none.
        after: the reference that it will be, where it changes.
        why: what is wrong, a sentence without a full stop; empty for a pinned place.
        mend: what would help; empty where nothing would.
        note: what the user should know about the change; empty for nothing.
        reason: why a reader passes over it, or why nothing matches; None for a place that is or
            can be pinned.
    """

    file: str
    line: int
    text: str
    status: Status
    entry: str = ""
    after: str = ""
    why: str = ""
    mend: str = ""
    note: str = ""
    reason: Reason | Unmatched | None = None

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file with at least one place.

    Attributes:
        path: of the file itself, links followed.
        shown: as messages name it.
        kind: of file, such as `dockerfile`.
        before: its bytes.
        after: what they will be; equal to `before` where nothing changes.
        places: in the order of the file.
    """

    path: Path
    shown: str
    kind: str
    before: bytes
    after: bytes
    places: tuple[Place, ...]

    @property
    def changes(self) -> bool:
        """Whether it will be written."""
        return self.after != self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All that was looked at.

    Attributes:
        files: those with at least one place, by name.
        problems: files that could not be read.
        looked_at: how many files of some kind were read.
    """

    files: tuple[PlannedFile, ...]
    problems: tuple[PinnerError, ...]
    looked_at: int

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place, in the order of the files."""
        return tuple(place for file in self.files for place in file.places)
