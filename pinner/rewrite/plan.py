"""What a file will say: the edits of all its places together, and what cannot be done.

Places of one file may share characters (one ARG for two images). So edits are planned for the file
as a whole: where an edit would change what another place reads, none of the two is made. The new
bytes are read again before anybody sees them; a file whose places then do not read as intended is
left as it is.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pinner.rewrite.edits import CannotHold, apply
from pinner.rewrite.model import Occurrence, Reason, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.rewrite.model import Edit, Found


class Reader(Protocol):
    """Finds the places of one kind of file."""

    def __call__(self, data: bytes) -> tuple[Found, ...]:
        """Every place, in the order of the file; never raises, whatever the bytes are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A place that will name something else.

    Attributes:
        before: the reference that the file's own tool reads there now.
        after: the one that it will read.
    """

    occurrence: Occurrence
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """One file as it is and as it will be.

    Attributes:
        after: equal to `before` where nothing changes.
        changed: the places that change, in the order of the file.
        impossible: the places that should change and cannot, and why.
    """

    before: bytes
    after: bytes
    changed: tuple[Changed, ...] = ()
    impossible: tuple[Skipped, ...] = ()


def plan_file(
    data: bytes,
    read: Reader,
    wish: Callable[[Occurrence], tuple[Edit, ...]],
    *,
    found: Sequence[Found] | None = None,
) -> FilePlan:
    """Plan the edits of one file.

    Args:
        data: the file.
        read: finds its places.
        wish: the edits that a place wants; raises `CannotHold` where it cannot be edited so.
        found: what `read` found in `data`, where it is at hand.
    """
    places = [
        one for one in (read(data) if found is None else found) if isinstance(one, Occurrence)
    ]
    wanted: dict[int, tuple[Edit, ...]] = {}
    impossible: dict[int, str] = {}
    for number, place in enumerate(places):
        try:
            wanted[number] = wish(place)
        except CannotHold as error:
            impossible[number] = str(error)
    impossible |= _conflicts(places, wanted)
    edits = [edit for number in wanted if number not in impossible for edit in wanted[number]]
    after = apply(data, edits)
    again = [one for one in read(after) if isinstance(one, Occurrence)]
    if not _as_intended(places, again, wanted, impossible):
        impossible |= {
            number: "the edited file would not read as intended"
            for number, own in wanted.items()
            if own
        }
        after, again = data, places
    return FilePlan(
        before=data,
        after=after,
        changed=tuple(
            Changed(
                occurrence=place, before=place.reference.text, after=again[number].reference.text
            )
            for number, place in enumerate(places)
            if wanted.get(number) and number not in impossible
        ),
        impossible=tuple(
            Skipped(
                text=places[number].reference.text,
                line=places[number].line,
                reason=Reason.CANNOT_HOLD,
                why=impossible[number],
            )
            for number in sorted(impossible)
        ),
    )


def _conflicts(places: Sequence[Occurrence], wanted: dict[int, tuple[Edit, ...]]) -> dict[int, str]:
    """The places whose edits would change what another place reads, and those others.

    Two places that want the very same edit (one ARG, the same image twice) agree.
    """
    found: dict[int, str] = {}
    stands = sorted(
        (origin, number)
        for number, place in enumerate(places)
        for origin in set(place.reference.origins)
    )
    for number, edits in wanted.items():
        for edit in edits:
            for other in _touched(edit, stands):
                if other == number or edit in wanted.get(other, ()):
                    continue
                why = "it shares a variable with line {}, which names another image"
                found[number] = why.format(places[other].line)
                if wanted.get(other):
                    found[other] = why.format(places[number].line)
    return found


def _touched(edit: Edit, stands: Sequence[tuple[int, int]]) -> set[int]:
    """The places that have a character among or next to what an edit changes."""
    start = bisect.bisect_left(stands, (edit.start - 1, 0))
    end = bisect.bisect_left(stands, (max(edit.start, edit.end - 1) + 1, 0))
    return {number for _, number in stands[start:end]}


def _as_intended(
    places: Sequence[Occurrence],
    again: Sequence[Occurrence],
    wanted: dict[int, tuple[Edit, ...]],
    impossible: dict[int, str],
) -> bool:
    """Whether the edited file has the same places, and only those that were edited changed."""
    if len(again) != len(places):
        return False
    edited = {number for number, own in wanted.items() if own and number not in impossible}
    return all(
        (before.reference.text != after.reference.text) == (number in edited)
        for number, (before, after) in enumerate(zip(places, again, strict=True))
    )
