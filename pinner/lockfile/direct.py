"""A lockfile of the written form without a fault, from its text to values with nothing in between.

This is what nearly every run meets. Where anything is wrong, `read` reads the file, and says what
and where: here there are no messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import InputError
from pinner.lockfile.canonical import NotCanonical, read_entries, read_head
from pinner.lockfile.model import LOCK_REVISION, LOCK_VERSION, Lock, LockedImage
from pinner.lockfile.values import parse_name, parse_repository, parse_tag
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform

if TYPE_CHECKING:
    from pinner.lockfile.canonical import Entry


def read_direct(text: str) -> Lock | None:
    """The lock that `read` would make of `text`; None if it is of another form, or has a fault."""
    try:
        version, revision, at = read_head(text)
        if (version, revision) != (LOCK_VERSION, LOCK_REVISION):
            return None
        platforms: dict[str, Platform] = {}
        images = [_image(entry, platforms) for entry in read_entries(text, at)]
    except (NotCanonical, InputError):
        return None
    if None in images or len({image.name for image in images if image}) != len(images):
        return None
    return Lock(images=tuple(image for image in images if image), revision=revision)


def _image(entry: Entry, known: dict[str, Platform]) -> LockedImage | None:
    """The entry, with platforms that other entries have too; None if it has the wrong number."""
    if not entry.platforms or entry.platform_count not in {None, len(entry.platforms)}:
        return None
    platforms = {}
    for key, digest in entry.platforms.items():
        platform = known.get(key)
        if platform is None:
            platform = known[key] = Platform.parse_canonical(key)
        platforms[platform] = Digest.parse(digest)
    return LockedImage(
        name=parse_name(entry.name),
        repository=parse_repository(entry.image),
        tag=None if entry.tag is None else parse_tag(entry.tag),
        digest=Digest.parse(entry.digest),
        platforms=platforms,
        all_platforms=entry.platform_count is not None,
    )
