"""What `pinner mirror` tells: how much was sent, how much was there, and where images are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.mirror import Mirrored, Skipped
from pinner.outcome import Failed
from pinner.output.errors import error_fields
from pinner.output.tables import columns
from pinner.output.units import duration, plural, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.mirror import MirrorResult
    from pinner.sync.result import Amount


def render_mirror(
    result: MirrorResult,
    *,
    target: str,
    requests: int,
    seconds: float,
    wrote: Sequence[str] = (),
    by_hand: str = "",
) -> str:
    """The sum of a run, in one line or two; in a dry run, a line for each image before it.

    Args:
        result: from `run_mirror`.
        target: where to.
        requests: all that was asked of registries.
        seconds: how long it took.
        wrote: the files that were changed.
        by_hand: the lines of images.toml that were not written, and would let `sync` use it.
    """
    mirrored = [outcome for outcome in result.outcomes if isinstance(outcome, Mirrored)]
    skipped = [outcome for outcome in result.outcomes if isinstance(outcome, Skipped)]
    rows = _rows(mirrored) if result.dry_run else ""
    lines = [f"{outcome.name} is not copied: {outcome.reason}" for outcome in skipped]
    asked = plural(requests, "request")
    if not mirrored and result.complete:
        lines.append("Nothing to mirror")
    elif result.complete and all(outcome.complete_before for outcome in mirrored):
        lines.append(f"{target} holds {_all(mirrored)} ({asked})")
    else:
        lines.append(f"{_head(result, len(mirrored), target)} ({asked}, {duration(seconds)})")
    if wrote:
        lines.append(f"Wrote {', '.join(wrote)}. Next: pinner sync")
    text = rows + "".join(f"{line}\n" for line in lines)
    return f"{text}For images.toml:\n{by_hand}" if by_hand else text


def mirror_fields(
    result: MirrorResult, *, target: str, requests: int, wrote: Sequence[str]
) -> dict[str, Any]:
    """The JSON document: every image with its outcome, the work of the run, and the mirrors."""
    return {
        "complete": result.complete,
        "dry_run": result.dry_run,
        "target": target,
        "wrote": list(wrote),
        "requests": requests,
        "uploaded": _amount_fields(result.uploaded),
        "mounted": _amount_fields(result.mounted),
        "present": _amount_fields(result.present),
        "fetched": _amount_fields(result.fetched),
        "mirrors": dict(result.mirrors),
        "warnings": list(result.warnings),
        "images": [_fields(outcome) for outcome in result.outcomes],
    }


def _head(result: MirrorResult, mirrored: int, target: str) -> str:
    wanted = sum(not isinstance(outcome, Skipped) for outcome in result.outcomes)
    of = "" if result.complete else f" of {wanted}"
    noun = "image" if wanted == 1 else "images"
    verb = "Would mirror" if result.dry_run else "Mirrored"
    words: Mapping[str, Amount] = {
        "to upload" if result.dry_run else "uploaded": result.uploaded,
        "to mount" if result.dry_run else "mounted": result.mounted,
        "there": result.present,
    }
    parts = [f"{_amount(amount)} {word}" for word, amount in words.items() if amount.blobs]
    work = f": {', '.join(parts)}" if parts else ""
    return f"{verb} {mirrored}{of} {noun} to {target}{work}"


def _rows(mirrored: Sequence[Mirrored]) -> str:
    rows = []
    for image in mirrored:
        name = f"{image.repository}{f':{image.tag}' if image.tag else ''}"
        state = "there" if image.complete_before else plural(image.manifests, "manifest")
        rows.append((image.name, name, ", ".join(d.short for d in image.digests), state))
    return columns(rows)


def _fields(outcome: Mirrored | Skipped | Failed) -> dict[str, Any]:
    if isinstance(outcome, Failed):
        return {"name": outcome.name, "outcome": "failed", "error": error_fields(outcome.error)}
    if isinstance(outcome, Skipped):
        return {"name": outcome.name, "outcome": "skipped", "reason": outcome.reason}
    return {
        "name": outcome.name,
        "outcome": "present" if outcome.complete_before else "mirrored",
        "image": str(outcome.source),
        "repository": str(outcome.repository),
        "tag": outcome.tag,
        "digests": list(map(str, outcome.digests)),
        "manifests": outcome.manifests,
    }


def _amount_fields(amount: Amount) -> dict[str, int]:
    return {"blobs": amount.blobs, "bytes": amount.size}


def _amount(amount: Amount) -> str:
    return f"{size(amount.size)} in {plural(amount.blobs, 'blob')}"


def _all(mirrored: Sequence[Mirrored]) -> str:
    return "the image" if len(mirrored) == 1 else f"all {len(mirrored)} images"
