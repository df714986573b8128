"""Leases: blobs that a running process needs, named or not (docs/adr/0007-leases.md).

    .pinner/leases/<random>    lines of digests; locked (`flock`) by its process as long as it runs

    with store.lease() as lease:
        lease.hold(digests)        # from here on no `prune` removes them
        store.has(digest)          # only an answer from after `hold` counts

Digests are added under the store's control lock, which `prune` holds while it looks and removes. A
lease whose process died is not locked any more: it protects nothing, and whoever meets it removes
it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import StoreError
from pinner.fsio import release
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.store import fs
from pinner.store.control import CONTROL, control_held
from pinner.store.locks import is_free
from pinner.store.reach import reach

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from pinner.oci.descriptor import Descriptor
    from pinner.store.fs import Folder
    from pinner.store.layout import Store

LEASES: Final = "leases"
_TOKEN: Final = 16  # bytes
_NAME: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_LIMIT: Final = 256 * 1024 * 1024


class Lease:
    """What this run needs of the store; a context manager, whose end gives all of it up.

    Nothing is written before the first `hold`. Every method may be called from any thread.
    """

    def __init__(self, root: Folder, *, optional: bool) -> None:
        """A lease that holds nothing yet; `Store.lease` is the way to get one."""
        self._root = root
        self._optional = optional
        self._lock = threading.Lock()
        self._held: set[Digest] = set()
        self._folder: Folder | None = None
        self._name = os.urandom(_TOKEN).hex()
        self._fd = -1
        self._end = 0

    def hold(self, digests: Iterable[Digest]) -> None:
        """Keep these blobs, here or to come, until the lease ends; again is free.

        Whether a blob is here is to be asked only when this has returned.

        Raises:
            StoreError: the disk refused, and the lease is not optional.
        """
        with self._lock:
            fresh = sorted(set(digests) - self._held)
            if not fresh:
                return
            try:
                with control_held(self._root) as held:
                    self._append(self._open(held.folder), fresh)
            except StoreError:
                if not self._optional:
                    raise
            self._held.update(fresh)

    def close(self) -> None:
        """Give everything up; again is fine."""
        with self._lock:
            if self._folder is None:
                return
            if self._fd >= 0:
                # Left behind it protects nothing, and the next lease or prune removes it.
                with contextlib.suppress(StoreError):
                    self._folder.unlink(self._name)
                release(self._fd)
            self._folder.close()
            self._folder, self._fd = None, -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, control: Folder) -> Folder:
        """The folder with this lease's file in it, made and locked by the first call."""
        if self._folder is None:
            self._folder = control.folder(LEASES, create=True)
        if self._fd < 0:
            _live(self._folder, tidy=True)
            fd = self._folder.open_file(self._name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
            except OSError as error:
                release(fd)
                self._folder.unlink(self._name)
                raise fs.store_error(
                    error, self._folder.path / self._name, "cannot be locked"
                ) from error
            self._fd = fd
        return self._folder

    def _append(self, folder: Folder, digests: list[Digest]) -> None:
        lines = "".join(f"{digest}\n" for digest in digests).encode("ascii")
        # Where a write failed half-way, the next one overwrites what it left.
        fs.write_fully(self._fd, lines, self._end, folder.path / self._name)
        self._end += len(lines)


def leased(root: Folder, *, tidy: bool) -> set[Digest]:
    """What running processes need.

    Args:
        root: the store's folder, its control lock held, or else what is told is of a moment ago.
        tidy: remove the leases of processes that are gone; only under the lock.

    Raises:
        StoreError: a lease cannot be read, so that what it holds is not known.
    """
    try:
        control = root.folder(CONTROL)
    except FileNotFoundError:
        return set()
    try:
        folder = control.folder(LEASES)
    except FileNotFoundError:
        return set()
    finally:
        control.close()
    try:
        return _live(folder, tidy=tidy)
    finally:
        folder.close()


def hold_image(store: Store, lease: Lease, root: Descriptor) -> None:
    """Hold an image with everything below it that is here: for who copies it out of the store.

    Raises:
        StoreError: as `Lease.hold`.
    """
    before: set[Digest] = set()
    while True:
        # What a look finds below a manifest counts from the look after it was held.
        needed = set(
            reach(root, store.blobs.size, lambda one: store.read(one, MANIFEST_LIMIT)).needed
        )
        lease.hold(needed)
        if needed <= before:
            return
        before = needed


def _live(folder: Folder, *, tidy: bool) -> set[Digest]:
    found: set[Digest] = set()
    for name in folder.names():
        if _NAME.fullmatch(name):
            found |= _digests(folder, name, tidy=tidy)
    return found


def _digests(folder: Folder, name: str, *, tidy: bool) -> set[Digest]:
    if not is_free(folder, name):
        return _read(folder, name)
    if tidy:
        folder.unlink(name)
    return set()


def _read(folder: Folder, name: str) -> set[Digest]:
    """The digests of a live lease; a line that is none was never acknowledged by `hold`."""
    try:
        data = folder.read(name, _LIMIT)
    except FileNotFoundError:
        return set()
    found = set()
    for line in data.decode("ascii", "replace").split("\n"):
        with contextlib.suppress(InvalidDigest):
            found.add(Digest.parse(line))
    return found
