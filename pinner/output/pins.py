"""One pin, and what became of it, as lock, update and their documents write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pinner.lockfile import LockedImage


def moved(before: str, after: str) -> str:
    """`old → new`, or one of them where they are the same."""
    return after if before == after else f"{before} → {after}"


def other_changes(before: LockedImage, image: LockedImage) -> tuple[str, ...]:
    """What changed beside tag and digest: the repository, the platforms; one cell or none."""
    words = []
    if before.repository != image.repository:
        words.append(f"was {before.repository.familiar()}")
    words += [f"+{platform}" for platform in image.platforms if platform not in before.platforms]
    words += [f"-{platform}" for platform in before.platforms if platform not in image.platforms]
    return (" ".join(words),) if words else ()


def tag_text(image: LockedImage) -> str:
    """The tag, or that there is none."""
    return image.tag or "by digest"


def pin_fields(image: LockedImage) -> dict[str, Any]:
    """A pin in a JSON document."""
    return {
        "image": str(image.repository),
        "tag": image.tag,
        "digest": str(image.digest),
        "platforms": {str(platform): str(digest) for platform, digest in image.platforms.items()},
    }
