"""What `pinner export` tells of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.output.platforms import for_platforms
from pinner.output.units import plural, size
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.archive import ArchivePlan
    from pinner.archive.plan import Named

_ZSTD = "zstd"


def render_archive(plan: ArchivePlan, *, wrote: str) -> str:
    """One line: what was written, and where to."""
    platforms = for_platforms(
        [member.platform for member in named.image.members if member.platform is not None]
        for named in plan.images
    )
    amount = f"{size(plan.size)} in {plural(len(plan.blobs), 'blob')}"
    return f"Wrote {plural(len(plan.images), 'image')}{platforms} to {wrote}: {amount}\n"


def archive_notes(plan: ArchivePlan) -> tuple[str, ...]:
    """What a reader could stumble over, a sentence each, safe to print."""
    notes = []
    for named in plan.images:
        name = safe(named.image.asked)
        if named.image.docker is None:
            notes.append(f"{name} is no image that `docker load` could take; others can")
        elif any(layer.media_type.endswith(_ZSTD) for layer in named.image.docker.manifest.layers):
            notes.append(f"{name} has zstd layers, which docker before 23.0 cannot load")
    return tuple(notes)


def archive_fields(plan: ArchivePlan, *, wrote: str, left: Sequence[str]) -> dict[str, Any]:
    """The JSON document: the file, and each image with the digests that stand for it.

    Args:
        plan: what was written.
        wrote: the file.
        left: what was left out and why, a sentence each, safe to print.
    """
    return {
        "format": "archive",
        "wrote": [wrote],
        "bytes": plan.size,
        "blobs": len(plan.blobs),
        "images": [safe(named.image.asked) for named in plan.images],
        "left": list(left),
        "warnings": list(archive_notes(plan)),
        "contents": [_fields(named) for named in plan.images],
    }


def _fields(named: Named) -> dict[str, Any]:
    docker = named.image.docker
    return {
        "reference": safe(named.image.name),
        "digests": list(map(str, named.digests)),
        "platforms": {
            str(member.platform): str(member.raw.digest)
            for member in named.image.members
            if member.platform is not None
        },
        "docker": None
        if docker is None
        else {"platform": str(docker.platform), "image_id": str(docker.manifest.config.digest)},
    }
