"""What `pinner verify` tells: that every blob is what its name says, or which are not."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from pinner.output.errors import error_fields
from pinner.output.images import familiar
from pinner.output.units import duration, listing, plural, size
from pinner.store.verify import Fault
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.store.verify import Finding, Report
    from pinner.sync.repair import Broken, Repair

_PRUNE: Final = "Next: pinner prune, which removes what no image needs"


def render_verify(report: Report, *, seconds: float) -> str:
    """A line for each finding, with the images that it spoils, then the verdict.

    Args:
        report: from `verify`.
        seconds: how long it took.
    """
    if not report.findings:
        return f"Verified {_sum_up(report)} in {duration(seconds)}: all sound\n"
    return f"{_findings(report)}{_sum_up(report)}: {_kinds(report)}. {_mend(report)}\n"


def render_repair(repair: Repair, *, seconds: float) -> str:
    """A line for what was mended, then what is still wrong, then the verdict.

    Args:
        repair: from `run_repair`; why something failed is told apart from it.
        seconds: how long it took.
    """
    report = repair.report
    lines = "".join(f"{_mended(one)}\n" for one in repair.mended)
    count = f"{len(repair.mended)} mended" if repair.mended else "nothing to mend"
    if not report.findings:
        return f"{lines}Verified {_sum_up(report)} in {duration(seconds)}: {count}, all sound\n"
    count = f"{len(repair.mended)} mended, " if repair.mended else ""
    next_step = ""
    if _none_is_needed(report):
        next_step = f". {_PRUNE}"
    elif not repair.failed and any(one.fault is Fault.MISSING for one in report.findings):
        next_step = ". Next: pinner sync"  # an index without images does not say which it had
    return f"{lines}{_findings(report)}{_sum_up(report)}: {count}{_kinds(report)} left{next_step}\n"


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


def repair_fields(repair: Repair) -> dict[str, Any]:
    """The JSON document: what was mended, what was not, and the store as it is now."""
    return {
        **verify_fields(repair.report),
        "mended": [_broken_fields(one) for one in repair.mended],
        "failed": [
            {**_broken_fields(one.broken), "error": error_fields(one.error)}
            for one in repair.failed
        ],
    }


def _broken_fields(one: Broken) -> dict[str, Any]:
    return {
        "digest": str(one.descriptor.digest),
        "bytes": one.descriptor.size,
        "fault": (Fault.CORRUPT if one.is_corrupt else Fault.MISSING).value,
        "images": [safe(name) for name in one.images],
    }


def _mended(one: Broken) -> str:
    was = "corrupt" if one.is_corrupt else "missing"
    users = listing([familiar(name) for name in one.images])
    of = f", needed by {users}" if users else ""
    return f"mended blob {one.descriptor.digest}, which was {was}{of}"


def _sum_up(report: Report) -> str:
    images = plural(report.images, "image")
    return f"{plural(report.blobs, 'blob')} of {images}, {size(report.size)}"


def _findings(report: Report) -> str:
    return "".join(f"{_line(finding)}\n" for finding in report.findings)


def _kinds(report: Report) -> str:
    faults = Counter(finding.fault for finding in report.findings)
    return listing([f"{count} {fault.value}" for fault, count in faults.items()])


def _line(finding: Finding) -> str:
    users = listing([familiar(name) for name in finding.images])
    return f"{finding.what}, needed by {users}" if users else finding.what


def _none_is_needed(report: Report) -> bool:
    """Whether all that is wrong is with blobs that no image needs."""
    return all(one.fault is Fault.CORRUPT and not one.images for one in report.findings)


def _mend(report: Report) -> str:
    if {one.fault for one in report.findings} <= {Fault.STRAY}:
        return "No image needs what is beside the blobs"
    if _none_is_needed(report):
        return _PRUNE
    return "Next: pinner verify --repair, which fetches them anew"
