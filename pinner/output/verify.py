"""What `pinner verify` tells: that every blob is what its name says, or which are not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pinner.output.images import familiar
from pinner.output.units import duration, listing, plural, size
from pinner.store.verify import Fault
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.store.verify import Finding, Report


def render_verify(report: Report, *, seconds: float) -> str:
    """A line for each finding, with the images that it spoils, then the verdict.

    Args:
        report: from `verify`.
        seconds: how long it took.
    """
    images = plural(report.images, "image")
    sum_up = f"{plural(report.blobs, 'blob')} of {images}, {size(report.size)}"
    if not report.findings:
        return f"Verified {sum_up} in {duration(seconds)}: all sound\n"
    lines = "".join(f"{_line(finding)}\n" for finding in report.findings)
    faults = Counter(finding.fault for finding in report.findings)
    kinds = listing([f"{count} {fault.value}" for fault, count in faults.items()])
    return f"{lines}{sum_up}: {kinds}. {_mend(faults)}\n"


def verify_fields(report: Report) -> dict[str, Any]:
    """The JSON document: the counts and every finding."""
    return {
        "sound": not report.findings,
        "blobs": report.blobs,
        "bytes": report.size,
        "images": report.images,
        "findings": [
            {
                "fault": finding.fault.value,
                "what": finding.what,
                "path": safe(str(finding.path)),
                "digest": str(finding.digest) if finding.digest else None,
                "images": [safe(name) for name in finding.images],
            }
            for finding in report.findings
        ],
    }


def _line(finding: Finding) -> str:
    users = listing([familiar(name) for name in finding.images])
    return f"{finding.what}, needed by {users}" if users else finding.what


def _mend(faults: Counter[Fault]) -> str:
    if set(faults) <= {Fault.STRAY}:
        return "No image needs what is beside the blobs"
    return "Next: pinner sync, which fetches them anew"
