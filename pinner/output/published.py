"""What became of the commits of an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.git import Published
from pinner.output.errors import error_fields
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.git import Refused

_SHORT = 12


def render_published(results: Sequence[Published | Refused]) -> str:
    """A line for each commit; empty where nothing was to be committed.

    A branch that was refused is an error beside the result, and has no line here.
    """
    lines = []
    for result in results:
        if isinstance(result, Published):
            where = "no branch" if result.branch is None else safe(result.branch)
            commit = result.commit[:_SHORT]
            lines.append(
                f"Committed to {where}: {commit}\n"
                if result.changed
                else f"{where} has this update already: {commit}\n"
            )
    return "".join(lines)


def published_fields(results: Sequence[Published | Refused]) -> list[dict[str, Any]]:
    """The same for a JSON document: branch, commit, base and changed, or branch and error."""
    return [
        {
            "branch": None if result.branch is None else safe(result.branch),
            "commit": result.commit,
            "base": result.base,
            "changed": result.changed,
        }
        if isinstance(result, Published)
        else {"branch": safe(result.branch), "error": error_fields(result.error)}
        for result in results
    ]
