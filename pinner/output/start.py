"""What `pinner init` tells: the entries with the places that they are for, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.output.errors import error_fields
from pinner.output.tables import columns
from pinner.output.units import listing, plural
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.errors import PinnerError
    from pinner.files.model import Place
    from pinner.start.model import Proposal

_MOST: Final = 4
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What was found, and what became of it.

    Attributes:
        proposals: the entries.
        places: how many places they are for.
        files: how many files these are in.
        looked_at: how many files were read.
        skipped: places that cannot be read.
        problems: files that cannot be read.
        wrote: the files that were written.
        text: the images.toml that was, or would be, written.
    """

    proposals: Sequence[Proposal]
    places: int
    files: int
    looked_at: int
    skipped: Sequence[Place] = ()
    problems: Sequence[PinnerError] = ()
    wrote: Sequence[str] = ()
    text: str = ""


def render_init(found: Beginning) -> str:
    """The rows and the sum; where nothing was written, why not."""
    skipped = list(map(_skipped_row, found.skipped))
    if not found.proposals:
        looked = plural(found.looked_at, "file")
        return (
            f"{columns(skipped)}No reference to an image that can be read in {looked};"
            " nothing was written. Next: pinner add IMAGE\n"
        )
    head = (
        f"Found {plural(found.places, 'reference')} to {plural(len(found.proposals), 'image')}"
        f" in {plural(found.files, 'file')}\n"
    )
    rows = columns([*map(proposal_row, found.proposals), *skipped])
    pinned = "".join(f"{line}\n" for line in _on_pins(found.proposals))
    return f"{head}{rows}{pinned}Wrote {listing(list(found.wrote))}. Next: pinner lock\n"


def init_fields(found: Beginning) -> dict[str, Any]:
    """The JSON document: what was written, the entries, and what was passed over."""
    return {
        "wrote": list(found.wrote),
        "files": found.looked_at,
        "images": list(map(proposal_fields, found.proposals)),
        "skipped": [
            {
                "file": place.file,
                "line": place.line,
                "text": place.text,
                "reason": place.reason.value if place.reason else None,
                "why": place.why,
            }
            for place in found.skipped
        ],
        "unreadable": list(map(error_fields, found.problems)),
        "text": found.text,
    }


def proposal_row(proposal: Proposal) -> tuple[str, ...]:
    """Name, reference, places, and what the user should know."""
    shown = proposal.reference
    if proposal.untagged:
        shown = shown.with_tag(None)
    text = shown.familiar()
    if shown.digest is not None:
        text = f"{shown.repository.familiar()}@{shown.digest.short}"
    return proposal.name, text, _places(proposal.places), "; ".join(_notes(proposal))


def proposal_fields(proposal: Proposal) -> dict[str, Any]:
    """One entry as JSON."""
    reference = proposal.reference
    return {
        "name": proposal.name,
        "image": str(reference.repository),
        "tag": reference.tag,
        "digest": str(reference.digest) if reference.digest else None,
        "pinned": [str(digest) for digest, _ in proposal.pins],
        "places": list(proposal.places),
    }


def _notes(proposal: Proposal) -> Iterator[str]:
    if proposal.untagged:
        yield "no tag: latest"
    if proposal.reference.digest is not None:
        yield "by digest: never updated"
    if proposal.pins:
        yield "pinned to " + ", ".join(digest.short for digest, _ in proposal.pins[:_MOST])


def _on_pins(proposals: Sequence[Proposal]) -> Iterator[str]:
    pinned = sum(bool(proposal.pins) for proposal in proposals)
    if pinned:
        verb = "is" if pinned == 1 else "are"
        yield (
            f"{plural(pinned, 'image')} {verb} pinned already: `pinner lock` takes what the tag"
            " names now, `pinner import FILE` keeps the digests"
        )


def _places(places: Sequence[str]) -> str:
    shown = ", ".join(safe(place, limit=_SHOWN) for place in places[:_MOST])
    return shown + (f" and {len(places) - _MOST} more" if len(places) > _MOST else "")


def _skipped_row(place: Place) -> tuple[str, ...]:
    text = safe(place.text, limit=_SHOWN)
    return "skipped", text, place.where, place.why.removeprefix(f"{place.text}: ")
