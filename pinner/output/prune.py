"""What `pinner prune` tells: which names and how much of the store went, or would go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.output.images import familiar
from pinner.output.tables import columns
from pinner.output.units import listing, plural, size
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.store.names import NamedDescriptor
    from pinner.store.prune import Pruned


def render_prune(pruned: Pruned, *, dry_run: bool) -> str:
    """A row for each name, then for blobs and partials, then the sum.

    Args:
        pruned: from `prune`.
        dry_run: nothing was removed yet.
    """
    names = [(familiar(one.name), _why(one)) for one in pruned.names]
    things = [
        (plural(len(found), noun), size(sum(one.size for one in found)))
        for noun, found in (("blob", pruned.blobs), ("partial download", pruned.partials))
        if found
    ]
    what = [*([plural(len(names), "name")] if names else []), *(count for count, _ in things)]
    if not what:
        return f"Nothing to remove{_leased(pruned, ': ')}\n"
    head = columns(names) + columns(things)
    if dry_run:
        sum_up = f"Would remove {listing(what)} and free {size(pruned.size)}"
        return f"{head}{sum_up}{_leased(pruned, '. ')}. Next: the same without --dry-run\n"
    sum_up = f"Removed {listing(what)}: {size(pruned.size)} freed"
    return f"{head}{sum_up}{_leased(pruned, '. ')}\n"


def prune_fields(pruned: Pruned, *, dry_run: bool) -> dict[str, Any]:
    """The JSON document: every name, blob and partial."""
    return {
        "dry_run": dry_run,
        "bytes": pruned.size,
        "leased": pruned.leased,
        "names": [
            {
                "reference": safe(one.name),
                "digest": str(one.descriptor.digest),
                "reason": "left" if one.is_member else "not-locked",
            }
            for one in pruned.names
        ],
        "blobs": [{"digest": str(one.digest), "bytes": one.size} for one in pruned.blobs],
        "partials": [{"file": one.name, "bytes": one.size} for one in pruned.partials],
    }


def _why(name: NamedDescriptor) -> str:
    return "no tag has it any more" if name.is_member else "in no lockfile given"


def _leased(pruned: Pruned, joint: str) -> str:
    if not pruned.leased:
        return ""
    one = pruned.leased == 1
    stay, them = ("stays", "it") if one else ("stay", "them")
    blobs = plural(pruned.leased, "blob")
    return f"{joint}{blobs} {stay}, since a running pinner needs {them}"
