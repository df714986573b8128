"""What `pinner check --remote` tells beyond the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pinner.output.errors import error_fields
from pinner.output.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.check import RemoteImage


def render_remote(images: Sequence[RemoteImage]) -> str:
    """One line for what is gone and what moved, then the sum."""
    lines = [f"images.lock: {message}" for one in images for message in remote_messages(one)]
    return "".join(f"{line}\n" for line in [*lines, _sum(images)])


def remote_messages(one: RemoteImage) -> Iterator[str]:
    """What is wrong with one pin, as `what: mend`."""
    image = one.image
    for digest in one.gone:
        platforms = [str(platform) for platform, own in image.platforms.items() if own == digest]
        whose = f", {', '.join(platforms)}" if platforms else ""
        yield (
            f"{image.name} ({image.repository.familiar()}@{digest}{whose}) is gone from the"
            f" registry: run `pinner update {image.name}`"
        )
    if one.tag_gone:
        yield f"{image.name} has a tag that is gone, {image.tag}: name another in images.toml"
    elif one.moved and one.tag_digest is not None:
        yield (
            f"{image.name} has a tag that moved, {image.tag} from {image.digest} to"
            f" {one.tag_digest}: run `pinner update {image.name}`"
        )


def remote_fields(images: Sequence[RemoteImage]) -> list[dict[str, Any]]:
    """The part of the JSON document: one object for each pin."""
    return [
        {
            "name": one.image.name,
            "tag": one.image.tag,
            "digest": str(one.image.digest),
            "gone": [str(digest) for digest in one.gone],
            "moved": one.moved,
            "tag_digest": str(one.tag_digest) if one.tag_digest else None,
            **({"error": error_fields(one.error)} if one.error else {}),
        }
        for one in images
    ]


def _sum(images: Sequence[RemoteImage]) -> str:
    gone = sum(bool(one.gone) for one in images)
    moved = sum(one.moved for one in images)
    failed = sum(one.error is not None for one in images)
    served = sum(one.error is None and not one.gone for one in images)
    words = [f"{served} of {plural(len(images), 'image')} served"]
    words += [f"{gone} gone"] if gone else []
    words += [f"{moved} with a tag that moved"] if moved else []
    words += [f"{failed} not known"] if failed else []
    return f"Registries: {', '.join(words)}"
