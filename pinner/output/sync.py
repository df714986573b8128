"""What `pinner sync` tells: how many images, how much was fetched and how much was shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.outcome import Failed
from pinner.output.errors import error_fields
from pinner.output.platforms import for_platforms
from pinner.output.units import duration, plural, size
from pinner.sync import Synced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.sync import SyncResult
    from pinner.sync.result import Amount


def render_sync(result: SyncResult, *, requests: int, seconds: float) -> str:
    """The sum of a run, in one line; the failures are told apart from it.

    Args:
        result: from `run_sync`.
        requests: all that was asked of registries.
        seconds: how long it took.
    """
    synced = [outcome for outcome in result.outcomes if isinstance(outcome, Synced)]
    if not result.outcomes:
        return "Nothing to sync: images.lock names no image\n"
    platforms = for_platforms(image.platforms for image in synced)
    if result.complete and all(outcome.complete_before for outcome in synced):
        return f"Store holds {_all(synced)}{platforms} ({plural(requests, 'request')})\n"
    of = "" if result.complete else f" of {len(result.outcomes)}"
    noun = "image" if len(result.outcomes) == 1 else "images"
    head = f"Synced {len(synced)}{of} {noun}{platforms}"
    work = ((result.fetched, "fetched"), (result.shared, "shared"))
    parts = [f"{_amount(amount)} {word}, " for amount, word in work if amount.blobs]
    return f"{head}{': ' if parts else ' '}{''.join(parts)}in {duration(seconds)}\n"


def sync_fields(result: SyncResult, *, requests: int) -> dict[str, Any]:
    """The JSON document: every image with its outcome, and the work of the run."""
    return {
        "complete": result.complete,
        "requests": requests,
        "fetched": {"blobs": result.fetched.blobs, "bytes": result.fetched.size},
        "shared": {"blobs": result.shared.blobs, "bytes": result.shared.size},
        "warnings": list(result.warnings),
        "images": [_fields(outcome) for outcome in result.outcomes],
    }


def _fields(outcome: Synced | Failed) -> dict[str, Any]:
    if isinstance(outcome, Failed):
        return {"name": outcome.name, "outcome": "failed", "error": error_fields(outcome.error)}
    return {
        "name": outcome.name,
        "outcome": "present" if outcome.complete_before else "synced",
        "reference": outcome.reference,
        "digest": str(outcome.digest),
        "platforms": list(map(str, outcome.platforms)),
        "bytes": outcome.size,
    }


def _amount(amount: Amount) -> str:
    return f"{size(amount.size)} in {plural(amount.blobs, 'blob')}"


def _all(synced: Sequence[Synced]) -> str:
    return "the image" if len(synced) == 1 else f"all {len(synced)} images"
