"""What `pinner rewrite` tells: the places that change, those that stay, and the sum."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

from pinner.files.model import Status
from pinner.output.errors import error_fields
from pinner.output.findings import message, place_fields
from pinner.output.tables import columns
from pinner.output.units import plural
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.files.model import Place, PlannedFile, Tree

_LEFT: Final = frozenset({Status.UNKNOWN, Status.UNRESOLVABLE, Status.SKIPPED})
_LINE: Final = 4000
_NO_END: Final = "\\ No newline at end of file"


def changing(tree: Tree) -> list[Place]:
    """The places that change, in the order of the files."""
    return [place for place in tree.places if place.after]


def left(tree: Tree) -> list[Place]:
    """The places that should be pinned and stay as they are."""
    return [
        place
        for place in tree.places
        if not place.after and (place.status in _LEFT or place.status is Status.STALE)
    ]


def render_rewrite(tree: Tree, *, diff: bool, wrote: bool, unpin: bool) -> str:
    """The changes, and the sum.

    Args:
        tree: what was planned.
        diff: show changed lines, not a table.
        wrote: the files were written.
        unpin: digests are taken away.
    """
    places = changing(tree)
    shown = "".join(map(_diff, tree.files)) if diff else columns(map(_row, places))
    notes = "".join(f"{place.where}: {place.note}\n" for place in places if place.note)
    stays = left(tree)
    lines = "" if len(stays) == 1 else "".join(f"{p.where}: {message(p)}\n" for p in stays)
    return f"{shown}{notes}{lines}{_sum(tree, places, stays, wrote=wrote, unpin=unpin)}\n"


def rewrite_fields(tree: Tree, *, wrote: bool) -> dict[str, Any]:
    """The JSON document: what changes, and what stays as it is though it is not pinned."""
    return {
        "wrote": [file.shown for file in tree.files if file.changes] if wrote else [],
        "files": tree.looked_at,
        "changes": [place_fields(place) for place in changing(tree)],
        "left": [place_fields(place) for place in left(tree)],
        "unreadable": [error_fields(error) for error in tree.problems],
    }


def _row(place: Place) -> tuple[str, ...]:
    before, after = (_short(text) for text in (place.text, place.after))
    return place.where, f"{before} → {after}"


def _short(text: str) -> str:
    """A reference with its digest cut, for a table."""
    name, at, digest = text.partition("@")
    algorithm, colon, encoded = digest.partition(":")
    return f"{name}{at}{algorithm}{colon}{encoded[:12]}{'…' if at else ''}"


def _sum(
    tree: Tree, places: Sequence[Place], stays: Sequence[Place], *, wrote: bool, unpin: bool
) -> str:
    done = "unpinned" if unpin else "pinned"
    files = plural(sum(file.changes for file in tree.files), "file")
    references = plural(len(places), "reference")
    if not places:
        said = f"Nothing to {'unpin' if unpin else 'rewrite'} in {plural(tree.looked_at, 'file')}"
    elif wrote:
        said = f"{done.capitalize()} {references} in {files}"
    else:
        said = f"{references} in {files} would be {done}"
    if len(stays) == 1:
        said += f", 1 skipped ({stays[0].where}, {stays[0].why})"
    elif stays:
        said += f", {len(stays)} skipped"
    ignored = sum(place.status is Status.IGNORED for place in tree.places)
    return said + (f", {ignored} ignored" if ignored else "")


def _diff(file: PlannedFile) -> str:
    """A unified diff without context; empty where nothing changes."""
    if not file.changes:
        return ""
    before, after = (_lines(data) for data in (file.before, file.after))
    found = difflib.unified_diff(before, after, file.shown, file.shown, n=0, lineterm="")
    return "".join(f"{line}\n" for line in found)


def _lines(data: bytes) -> list[str]:
    """The lines of a file, safe to print; tabs stay."""
    *lines, last = data.split(b"\n")
    shown = [_shown(line.removesuffix(b"\r")) for line in lines]
    return [*shown, f"{_shown(last)}\n{_NO_END}"] if last else shown


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "surrogateescape")
    return "\t".join(safe(part, limit=_LINE) for part in text.split("\t"))
