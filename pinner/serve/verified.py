"""Blobs beside which others work: what is removed is gone, what is replaced is looked at again.

A prune may remove a blob between two looks at it, and a sync may bring it back. Neither is a
failure of the store, and no client is told so.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pinner.errors import IntegrityError, StoreError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinner.oci.digest import Digest
    from pinner.store.layout import Store

_State: TypeAlias = tuple[int, ...]
_Found = TypeVar("_Found")


def steadily(path: Path, look: Callable[[], _Found]) -> _Found | None:
    """What a look at a file finds; None where the file is gone.

    Raises:
        IntegrityError: the look raised it, and the file was the same before and behind it.
        StoreError: the same.
    """
    while True:
        before = _state(path)
        if before is None:
            return None
        try:
            return look()
        except (IntegrityError, StoreError):
            if _state(path) == before:
                raise


class Verified:
    """Blobs that hashed to their digest, by what tells a file from another at the same path.

    Blobs were verified when they were published; this finds what the disk, or someone, has done to
    them since, without hashing a blob twice in a server's life. Concurrent requests for parts of
    one blob wait for one hashing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._turns: dict[Digest, threading.Lock] = {}
        self._states: dict[Digest, _State] = {}

    def size(self, digest: Digest) -> int | None:
        """The size of a blob that holds its bytes; None where it is not there.

        Raises:
            IntegrityError: it holds others.
            StoreError: it cannot be read.
        """
        path = self._store.path(digest)
        if _state(path) is None:  # not remembered: anybody can make digests up, without end
            return None
        with self._lock:
            turn = self._turns.setdefault(digest, threading.Lock())
        with turn:
            return steadily(path, lambda: self._look(digest))

    def _look(self, digest: Digest) -> int | None:
        size, state = self._store.size(digest), _state(self._store.path(digest))
        if size is None or state is None:
            return None
        if self._states.get(digest) == state:
            return size
        if not self._store.blobs.matches(digest):
            raise IntegrityError(
                f"blob {digest} is corrupt in the store", mend="run `pinner verify`"
            )
        self._states[digest] = state
        return size


def _state(path: Path) -> _State | None:
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", where=safe(str(path))) from error
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
