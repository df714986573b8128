"""What `pinner lock` tells: one row for each pin that is new, changed or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.outcome import Failed
from pinner.output.errors import error_fields
from pinner.output.pins import moved, other_changes, pin_fields, tag_text
from pinner.output.platforms import for_platforms
from pinner.output.tables import columns
from pinner.output.units import duration, listing, plural
from pinner.resolve import Added, Changed, Kept, Removed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.resolve import LockOutcome, LockResult


def render_lock(result: LockResult, *, requests: int, seconds: float, wrote: Sequence[str]) -> str:
    """The rows and the sum of a run.

    Args:
        result: from `lock_images`.
        requests: manifests that were asked for.
        seconds: how long it took.
        wrote: the files that are others now.
    """
    failed = sum(isinstance(outcome, Failed) for outcome in result.outcomes)
    if result.lock is None:
        entries = sum(not isinstance(outcome, Removed) for outcome in result.outcomes)
        return f"{failed} of {plural(entries, 'image')} could not be locked; nothing was written\n"
    images = plural(len(result.lock.images), "image")
    asked = plural(requests, "manifest request")
    if not wrote:
        return f"images.lock is up to date: {images} ({asked})\n"
    platforms = for_platforms(image.platforms for image in result.lock.images)
    head = f"Locked {images}{platforms} in {duration(seconds)} ({asked})\n"
    rows = columns(row for outcome in result.outcomes if (row := _row(outcome)))
    return f"{head}{rows}Wrote {listing(list(wrote))}. Next: pinner rewrite, pinner sync\n"


def lock_fields(result: LockResult, *, requests: int, wrote: Sequence[str]) -> dict[str, Any]:
    """The JSON document: every entry with its outcome, and the pin before and after."""
    return {
        "wrote": list(wrote),
        "requests": requests,
        "images": [_fields(outcome) for outcome in result.outcomes],
    }


def _row(outcome: LockOutcome) -> tuple[str, ...]:
    match outcome:
        case Added(name=name, image=image):
            return (f"+ {name}", tag_text(image), image.digest.short)
        case Changed(name=name, before=before, image=image):
            tag = moved(tag_text(before), tag_text(image))
            digest = moved(before.digest.short, image.digest.short)
            return (f"~ {name}", tag, digest, *other_changes(before, image))
        case Removed(name=name, before=before):
            return (f"- {name}", tag_text(before), before.digest.short)
        case _:
            return ()


def _fields(outcome: LockOutcome) -> dict[str, Any]:
    match outcome:
        case Added(name=name, image=image):
            return {"name": name, "outcome": "added", **pin_fields(image)}
        case Changed(name=name, before=before, image=image):
            return {
                "name": name,
                "outcome": "changed",
                **pin_fields(image),
                "before": pin_fields(before),
            }
        case Kept(name=name, image=image):
            return {"name": name, "outcome": "kept", **pin_fields(image)}
        case Removed(name=name, before=before):
            return {"name": name, "outcome": "removed", "before": pin_fields(before)}
        case Failed(name=name, error=error):
            return {"name": name, "outcome": "failed", "error": error_fields(error)}
