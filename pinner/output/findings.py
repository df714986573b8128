"""What `pinner check` tells: one line a finding, then the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.files.model import Status
from pinner.output.errors import error_fields
from pinner.output.units import plural

if TYPE_CHECKING:
    from pinner.check import CheckResult
    from pinner.files.model import Place


def render_findings(result: CheckResult) -> str:
    """One line for each finding (`path:line: what, why: mend`), then the sum."""
    lines = [finding_line(place) for place in result.findings]
    lines += [f"images.lock: {stale.what}: run `pinner lock`" for stale in result.stale]
    return "".join(f"{line}\n" for line in [*lines, _sum(result)])


def finding_line(place: Place) -> str:
    """`path:line: what, why: mend`."""
    return f"{place.where}: {message(place)}"


def message(place: Place) -> str:
    """What is wrong with a place, and the mend."""
    return f"{place.why}: {place.mend}" if place.mend else place.why


def findings_fields(result: CheckResult) -> dict[str, Any]:
    """The JSON document: the verdict, the counts, and every finding."""
    counts = result.counts
    return {
        "green": result.exit_code == 0,
        "lenient": result.lenient,
        "files": result.tree.looked_at,
        "counts": {status.value: counts[status] for status in Status},
        "findings": [place_fields(place) for place in result.findings],
        "stale": [
            {"name": stale.name, "kind": stale.kind.value, "what": stale.what}
            for stale in result.stale
        ],
        "unreadable": [error_fields(error) for error in result.tree.problems],
    }


def place_fields(place: Place) -> dict[str, Any]:
    """One place as JSON."""
    return {
        "file": place.file,
        "line": place.line,
        "text": place.text,
        "status": place.status.value,
        "reason": place.reason.value if place.reason else None,
        "entry": place.entry or None,
        "after": place.after or None,
        "why": place.why,
        "mend": place.mend,
        "note": place.note,
    }


def _sum(result: CheckResult) -> str:
    counts = result.counts
    words = [f"{counts[status]} {status.value}" for status in Status if counts[status]]
    entries = len({stale.name for stale in result.stale})
    if entries:
        words.append(f"{plural(entries, 'entry')} stale")
    if result.tree.problems:
        words.append(f"{plural(len(result.tree.problems), 'file')} unreadable")
    findings = len(result.findings) + len(result.stale) + len(result.tree.problems)
    if findings:
        return f"{plural(findings, 'finding')}: {', '.join(words)}"
    files = plural(len(result.tree.files), "file")
    if not words:
        return f"No image is named in {plural(result.tree.looked_at, 'file')} that can name one"
    return f"Every reference in {files} is pinned as locked: {', '.join(words)}"
