"""What `pinner import` tells: the entries, which digests they keep, and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pinner.outcome import Failed
from pinner.output.errors import error_fields
from pinner.output.start import proposal_fields, proposal_row
from pinner.output.tables import columns
from pinner.output.units import duration, listing, plural
from pinner.resolve import Added

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.oci.digest import Digest
    from pinner.resolve import LockResult
    from pinner.start.model import Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import came to.

    Attributes:
        proposals: the entries.
        pins: the digests to keep, by name.
        files: what was read, as messages name it.
        result: of locking; None where the lock was not wanted.
        requests: manifests that were asked for.
        wrote: the files that were written.
        text: the images.toml that was, or would be, written.
    """

    proposals: Sequence[Proposal]
    pins: Mapping[str, Digest]
    files: Sequence[str]
    result: LockResult | None = None
    requests: int = 0
    wrote: Sequence[str] = ()
    text: str = ""


def render_import(found: Imported, *, seconds: float) -> str:
    """The rows and the sum."""
    images = plural(len(found.proposals), "image")
    head = f"Found {images} in {listing(list(found.files))}, {len(found.pins)} pinned to a digest\n"
    rows = columns(map(proposal_row, found.proposals))
    if found.result is None:
        loses = f"Wrote {listing(list(found.wrote))}, without a lock"
        if found.pins:
            loses += ": `pinner lock` takes what the tags name now, not what was pinned"
        return f"{head}{rows}{loses}. Next: pinner lock\n"
    failed = sum(isinstance(outcome, Failed) for outcome in found.result.outcomes)
    if not found.wrote:
        return f"{head}{rows}{failed} of {images} could not be locked; nothing was written\n"
    asked = plural(found.requests, "manifest request")
    kept = plural(sum(_is_kept(one, found.pins) for one in found.result.outcomes), "digest")
    locked = f"Kept {kept} in {duration(seconds)} ({asked})"
    if failed:
        locked += f"; {plural(failed, 'image')} not locked"
    return f"{head}{rows}{locked}\nWrote {listing(list(found.wrote))}. Next: pinner rewrite\n"


def import_fields(found: Imported) -> dict[str, Any]:
    """The JSON document: what was written, and each entry with what became of its pin."""
    outcomes = {one.name: one for one in found.result.outcomes} if found.result else {}
    return {
        "wrote": list(found.wrote),
        "requests": found.requests,
        "images": [
            {**proposal_fields(proposal), **_outcome(outcomes.get(proposal.name), found.pins)}
            for proposal in found.proposals
        ],
        "text": found.text,
    }


def _is_kept(outcome: object, pins: Mapping[str, Digest]) -> bool:
    return isinstance(outcome, Added) and pins.get(outcome.name) == outcome.image.digest


def _outcome(outcome: object, pins: Mapping[str, Digest]) -> dict[str, Any]:
    match outcome:
        case Added(image=image):
            word = "kept" if _is_kept(outcome, pins) else "added"
            return {"outcome": word, "locked": str(image.digest)}
        case Failed(error=error):
            return {"outcome": "failed", "error": error_fields(error)}
        case _:
            return {"outcome": "not locked"}
