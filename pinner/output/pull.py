"""What `pinner pull` answers: the names for `--quiet`, the document for `--json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.outcome import Failed
from pinner.output.errors import error_fields
from pinner.pull import Pulled, Skipped

if TYPE_CHECKING:
    from pinner.pull import PullResult
    from pinner.pull.model import PullOutcome


def render_names(result: PullResult) -> str:
    """The canonical reference of each name that could be pulled, as `docker pull -q` has it."""
    return "".join(f"{reference}\n" for reference in result.pulled)


def pull_fields(result: PullResult, *, requests: int) -> dict[str, Any]:
    """The JSON document: every reference with its outcome, and the work of the run."""
    return {
        "complete": result.complete,
        "requests": requests,
        "fetched": {"blobs": result.fetched.blobs, "bytes": result.fetched.size},
        "shared": {"blobs": result.shared.blobs, "bytes": result.shared.size},
        "warnings": list(result.warnings),
        "images": [_fields(outcome) for outcome in result.outcomes],
    }


def _fields(outcome: PullOutcome) -> dict[str, Any]:
    match outcome:
        case Failed():
            return {
                "name": outcome.name,
                "outcome": "failed",
                "error": error_fields(outcome.error),
            }
        case Skipped():
            return {"name": outcome.name, "outcome": "skipped", "reason": outcome.reason}
        case Pulled():
            return {
                "name": outcome.name,
                "outcome": "present" if outcome.up_to_date else "pulled",
                "reference": outcome.reference,
                "digest": str(outcome.digest),
                "platforms": {
                    str(platform): str(digest) for platform, digest in outcome.platforms.items()
                },
                "layers": [
                    {
                        "digest": str(layer.digest),
                        "bytes": layer.size,
                        "outcome": "pulled" if layer.digest in outcome.fetched else "present",
                    }
                    for layer in outcome.layers
                ],
                "bytes": outcome.size,
            }
