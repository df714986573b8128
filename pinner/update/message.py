"""The message of a commit that moves pins.

    build(images): update python 3.12-slim to 7788990a

    python: 3.12-slim, 1a2b3c4d5e6f → 7788990a1122, 12 CVEs named fixed

The subject says as much as fits: of one image its tags or digest, of a few their names, of more
their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.git import Message
from pinner.resolve import Added, Changed, Removed
from pinner.terminal import safe
from pinner.update.model import Updated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pinner.compare.model import ImageChange
    from pinner.lockfile import LockedImage

Move = Updated | Added | Changed | Removed
"""An outcome by which the lockfile differs."""

SUBJECT_LIMIT: Final = 72
_PREFIX: Final = "build(images): "
_SHORT: Final = 8


def write_message(moves: Sequence[Move], changes: Mapping[str, ImageChange]) -> Message:
    """The message for a commit of these moves.

    Args:
        moves: at least one, each of another entry.
        changes: what is known of an entry's two images, by name; may lack any.
    """
    subject = next(
        line for text in _subjects(moves) if len(line := _PREFIX + text) <= SUBJECT_LIMIT
    )
    body = "\n".join(_line(move, changes.get(move.name)) for move in moves)
    return Message(subject=subject, body=body)


def _subjects(moves: Sequence[Move]) -> Iterator[str]:
    """From the one that says most to one that always fits."""
    verbs = {_verb(move) for move in moves}
    verb = verbs.pop() if len(verbs) == 1 else "update"
    names = [safe(move.name) for move in moves]
    if len(moves) == 1:
        yield from (f"{verb} {names[0]}{detail}" for detail in _details(moves[0]))
    *rest, last = names
    yield f"{verb} {', '.join(rest)} and {last}" if rest else f"{verb} {last}"
    yield f"{verb} {len(moves)} image{'s' if rest else ''}"


def _verb(move: Move) -> str:
    match move:
        case Added():
            return "add"
        case Removed():
            return "remove"
        case Updated() | Changed():
            return "update"


def _details(move: Move) -> Iterator[str]:
    """What may follow the name of a lone image, the best first."""
    match move:
        case Updated(before=before, image=image) | Changed(before=before, image=image):
            if before.repository == image.repository and before.tag != image.tag:
                yield f" {_tag(before)} to {_tag(image)}"
                yield f" to {_tag(image)}"
            elif before.digest != image.digest:
                digest = image.digest.hex[:_SHORT]
                yield f" {_tag(image)} to {digest}" if image.tag else f" to {digest}"
                yield f" to {digest}"
        case Added(image=image):
            yield f" {_tag(image)}"


def _line(move: Move, change: ImageChange | None) -> str:
    """One image, as the body has it."""
    match move:
        case Added(image=image):
            parts = [f"added, {_tag(image)}", image.digest.short]
        case Removed():
            parts = ["removed"]
        case Updated(before=before, image=image) | Changed(before=before, image=image):
            parts = [
                _moved(_repository(before), _repository(image)),
                _moved(_tag(before), _tag(image)),
                _moved(before.digest.short, image.digest.short),
            ]
            if before.repository == image.repository:
                del parts[0]
            if before.platforms.keys() != image.platforms.keys():
                parts.append("other platforms")
    fixes = change.packages.fixes if change and change.packages else ()
    if fixes:
        parts.append(f"{len(fixes)} CVE{'s' if len(fixes) > 1 else ''} named fixed")
    return f"{safe(move.name)}: {', '.join(parts)}"


def _tag(image: LockedImage) -> str:
    return safe(image.tag) if image.tag is not None else "by digest"


def _repository(image: LockedImage) -> str:
    return safe(image.repository.familiar())


def _moved(before: str, after: str) -> str:
    return after if before == after else f"{before} → {after}"
