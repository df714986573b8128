"""Old partials: removed when nobody holds them and nobody came back for them."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final

from pinner.fsio import release
from pinner.store.locks import acquire
from pinner.store.partial import JOURNAL_SUFFIX

if TYPE_CHECKING:
    from pinner.store.fs import Folder

_OURS: Final = re.compile(
    rf"(?:put|sha256|sha512)-[0-9a-f]{{16,128}}(?:{re.escape(JOURNAL_SUFFIX)})?", re.ASCII
)


def sweep(ingest: Folder, *, before: float) -> int:
    """Remove every file of `ingest/` that was last written before `before` and is not held.

    Args:
        ingest: the open folder.
        before: seconds since the epoch.

    Returns:
        How many files went, journals not counted unless they were alone.

    Raises:
        StoreError: the disk refused.
    """
    names = {name for name in ingest.names() if _OURS.fullmatch(name)}
    return sum(
        _remove(ingest, name)
        for name in names
        if name.removesuffix(JOURNAL_SUFFIX) not in names - {name}
        if _is_stale(ingest, name, before)
    )


def _is_stale(ingest: Folder, name: str, before: float) -> bool:
    found = ingest.stat(name)
    return found is not None and stat.S_ISREG(found.st_mode) and found.st_mtime < before


def _remove(ingest: Folder, name: str) -> bool:
    fd = acquire(ingest, name, wait=False)
    if fd is None:
        return False  # a live process is at it (T14)
    try:
        ingest.unlink(name + JOURNAL_SUFFIX)
        ingest.unlink(name)
    finally:
        release(fd)
    return True
