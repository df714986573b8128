"""What a file will say: the edits of all its places together, and what cannot be done.

Places of one file may share characters (one ARG for two images). So edits are planned for the file
as a whole: where an edit would change what another place reads, none of the two is made. The new
bytes are read again before anybody sees them; a file whose places then do not read as intended is
left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from pinner.rewrite.edits import CannotHold, apply
from pinner.rewrite.model import Occurrence, Reason, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.rewrite.model import Edit, Found


_SHARED: Final = "it shares a variable with line {}, which names another image"


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
    wishes: dict[tuple[int, int], dict[Edit, list[int]]] = {}
    for number, edits in wanted.items():
        for edit in edits:
            wishes.setdefault((edit.start, edit.end), {}).setdefault(edit, []).append(number)
    readers = _readers(places, {at for span in wishes for at in _near(*span)})
    found: dict[int, str] = {}
    for span, by_edit in wishes.items():
        touched = sorted({number for at in _near(*span) for number in readers[at]})
        wanting = {number: edit for edit, numbers in by_edit.items() for number in numbers}
        # One that reads these bytes and wants nothing of the kind is against all of them; else any
        # two that want different edits are against each other.
        against = next((number for number in touched if number not in wanting), None)
        if against is None and len(by_edit) == 1:
            continue
        first, *_ = wanting
        second = next((other for other in wanting if wanting[other] != wanting[first]), first)
        for number, edit in wanting.items():
            other = second if edit == wanting[first] else first
            found[number] = _SHARED.format(places[other if against is None else against].line)
        for number in touched:
            if number not in wanting and wanted.get(number):
                found[number] = _SHARED.format(places[first].line)
    return found


def _readers(places: Sequence[Occurrence], offsets: set[int]) -> dict[int, list[int]]:
    """The places that have a character at one of these offsets."""
    readers: dict[int, list[int]] = {at: [] for at in offsets}
    for number, place in enumerate(places):
        for at in offsets.intersection(place.reference.origins):
            readers[at].append(number)
    return readers


def _near(start: int, end: int) -> range:
    """The offsets of the characters among or next to bytes [start, end)."""
    return range(start - 1, max(start, end - 1) + 1)


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
