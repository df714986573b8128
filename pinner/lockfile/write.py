"""images.lock as text, byte for byte the same for the same content (design section 3).

Written by hand: the order of keys and the blank lines are the format, and every value is of a
grammar (`is_name`, `Reference`, `Digest`, `Platform`) whose characters need no escape in TOML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.lockfile.model import LOCK_REVISION, LOCK_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.lockfile.model import Lock, LockedImage

_HEADER: Final = (
    "# Made by pinner from images.toml."
    " Do not edit: run `pinner lock` or `pinner update`.\n"
    f"version = {LOCK_VERSION}\n"
    f"revision = {LOCK_REVISION}\n"
)


def dumps(lock: Lock) -> str:
    """The text of the file: sorted, LF, ending with one line feed."""
    return _HEADER + "".join(f"\n[[image]]\n{''.join(_lines(image))}" for image in lock.images)


def _lines(image: LockedImage) -> Iterator[str]:
    yield f'name = "{image.name}"\n'
    yield f'image = "{image.repository}"\n'
    if image.tag is not None:
        yield f'tag = "{image.tag}"\n'
    yield f'digest = "{image.digest}"\n'
    if image.all_platforms:
        # The count tells a file that was cut behind one of the platforms from a whole one. Where
        # the spec names the platforms, comparing with the spec tells.
        yield f"all-platforms = true\nplatform-count = {len(image.platforms)}\n"
    yield "[image.platforms]\n"
    for platform, digest in image.platforms.items():
        yield f'"{platform}" = "{digest}"\n'
