"""Old partials: removed when nobody holds them and nobody came back for them."""

from __future__ import annotations

import errno
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import StoreError
from pinner.fsio import release
from pinner.store.locks import acquire, is_free
from pinner.store.partial import JOURNAL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Container

    from pinner.store.fs import Folder

_OURS: Final = re.compile(
    rf"(?:put|sha256|sha512)-[0-9a-f]{{16,128}}(?:{re.escape(JOURNAL_SUFFIX)})?", re.ASCII
)
_BLOCK: Final = 512
_READ_ONLY: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class StalePartial:
    """A partial that nobody came back for.

    Attributes:
        name: its file in `ingest/`.
        size: bytes that it takes up on the disk, holes and journal left out.
    """

    name: str
    size: int


def stale(ingest: Folder, *, before: float, keep: Container[str] = ()) -> list[StalePartial]:
    """The files of `ingest/` that were last written before `before` and are not held.

    A journal alone is stale at any age: a run was killed when its blob had just got its name.

    Args:
        ingest: the open folder.
        before: seconds since the epoch.
        keep: names of partials that somebody is going to continue.

    Returns:
        A partial and its journal are one; a journal counts where it is alone.

    Raises:
        StoreError: the disk refused.
    """
    names = {name for name in ingest.names() if _OURS.fullmatch(name)}
    found = []
    for name in sorted(names):
        partial = name.removesuffix(JOURNAL_SUFFIX)
        if partial in names - {name} or partial in keep:
            continue
        seen = ingest.stat(name)
        if seen is None or not stat.S_ISREG(seen.st_mode):
            continue
        # Asked once more: the listing may have passed over a partial that came before its journal.
        is_alone = name != partial and ingest.stat(partial) is None
        if seen.st_mtime >= before and not is_alone:
            continue
        if is_free(ingest, name):  # else a live process is at it (T14)
            size = min(seen.st_size, seen.st_blocks * _BLOCK)
            found.append(StalePartial(name=name, size=size))
    return found


def sweep(ingest: Folder, *, before: float, keep: Container[str] = ()) -> list[StalePartial]:
    """Remove what `stale` finds, unless somebody takes it up meanwhile; what went is returned.

    Raises:
        StoreError: the disk refused.
    """
    return [one for one in stale(ingest, before=before, keep=keep) if _remove(ingest, one.name)]


def _remove(ingest: Folder, name: str) -> bool:
    try:
        fd = acquire(ingest, name, wait=False)
    except StoreError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _READ_ONLY:
            return False  # it stays: a store that is only read needs no tidying up (T09)
        raise
    if fd is None:
        return False  # a live process is at it (T14)
    try:
        ingest.unlink(name + JOURNAL_SUFFIX)
        ingest.unlink(name)
    finally:
        release(fd)
    return True
