"""Which commits an update is worth: one for all of it, or one for each image."""

from __future__ import annotations

import enum
import hashlib
import re
from typing import TYPE_CHECKING, Final

from pinner.git import Proposal
from pinner.lockfile import Lock
from pinner.resolve import Added, Changed, Removed
from pinner.update.message import Move, write_message
from pinner.update.model import Updated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pinner.compare.model import ImageChange
    from pinner.update.model import UpdateOutcome

# What git's check-ref-format refuses of all that can be an entry's name.
_NO_PART_OF_A_BRANCH: Final = re.compile(r"\.\.|\.$|\.lock$")


class Grouping(enum.Enum):
    """How many commits; the values are what `--group-by` takes."""

    ALL = "all"
    """One commit of all images."""
    IMAGE = "image"
    """For each image a branch, on whose lockfile that image alone has moved."""


def plan_proposals(
    outcomes: Iterable[UpdateOutcome],
    previous: Lock,
    lock: Lock,
    write: Callable[[Lock], Mapping[Path, bytes]],
    *,
    grouping: Grouping = Grouping.ALL,
    changes: Mapping[str, ImageChange] | None = None,
) -> tuple[Proposal, ...]:
    """What to commit of an update.

    Args:
        outcomes: what became of the entries.
        previous: the lock that the update started from.
        lock: the one that it came to.
        write: the files that a lock makes: the lockfile, and what is rewritten by it.
        grouping: one proposal, or one for each image.
        changes: what is known of an entry's two images, by name; may lack any.

    Returns:
        In the order of the outcomes; none where nothing moved.
    """
    moves = [one for one in outcomes if isinstance(one, Updated | Added | Changed | Removed)]
    known = changes or {}
    if not moves:
        return ()
    if grouping is Grouping.ALL:
        return (Proposal(message=write_message(moves, known), files=write(lock)),)
    return tuple(
        Proposal(
            message=write_message([move], known),
            files=write(_only(previous, move)),
            beside=branch_part(move.name),
        )
        for move in moves
    )


def branch_part(name: str) -> str:
    """The name of an entry as the last part of a branch's; no two entries have the same."""
    if not _NO_PART_OF_A_BRANCH.search(name):
        return name
    # `_` is kept apart from names that have one already by the hash.
    tail = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name.replace('.', '_')}-{tail}"


def _only(previous: Lock, move: Move) -> Lock:
    images = [image for image in previous.images if image.name != move.name]
    if not isinstance(move, Removed):
        images.append(move.image)
    return Lock(images=tuple(images))
