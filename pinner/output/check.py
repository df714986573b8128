"""What `pinner lock --check` tells: whether images.lock still answers images.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.output.units import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.freshness import Stale


def render_check(findings: Sequence[Stale] | None, *, images: int) -> str:
    """One line for each stale entry, then the verdict.

    Args:
        findings: from `staleness`; None where there is no images.lock.
        images: entries in images.toml.
    """
    if findings is None:
        return f"There is no images.lock for {plural(images, 'image')}: run `pinner lock`\n"
    if not findings:
        return f"images.lock is fresh: {plural(images, 'image')}\n"
    lines = [f"images.lock: {finding.what}\n" for finding in findings]
    entries = plural(len({finding.name for finding in findings}), "entry")
    verb = "is" if entries.startswith("1 ") else "are"
    return f"{''.join(lines)}{entries} {verb} stale: run `pinner lock`\n"


def check_fields(findings: Sequence[Stale] | None, *, images: int) -> dict[str, Any]:
    """The JSON document: fresh or not, and why not."""
    return {
        "fresh": findings is not None and not findings,
        "locked": findings is not None,
        "images": images,
        "stale": [
            {"name": finding.name, "kind": finding.kind.value, "what": finding.what}
            for finding in findings or ()
        ],
    }
