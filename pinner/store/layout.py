"""The store: blobs by digest, names in `index.json`, and partials on their way in.

    oci-layout  index.json          what every tool for OCI layouts reads
    blobs/<algorithm>/<hex>         verified blobs, read-only files
    ingest/                         partials (see `ingest`)
    .pinner/                        lock, notes and leases (see `control`, `durability`, `leases`)

Opening and reading never write, so a read-only store serves as long as it is complete (T09).
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from pinner.errors import IntegrityError, StoreError
from pinner.fsio import release
from pinner.oci.strictjson import MalformedJson
from pinner.store import fs, names
from pinner.store.blobs import Blobs, publish
from pinner.store.boot import current_boot_id
from pinner.store.control import control_held
from pinner.store.durability import Ledger
from pinner.store.entries import Irregular, stream_roots
from pinner.store.ingest import Busy, Ingest, Present
from pinner.store.leases import Lease, leased
from pinner.store.locks import acquire
from pinner.store.opening import open_root
from pinner.store.partial import INGEST, Partial, acquire_partial, partial_name
from pinner.store.sweeping import sweep
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType

    from pinner.oci.digest import Buffer, Digest
    from pinner.store.control import Held
    from pinner.store.fs import Folder
    from pinner.store.names import NamedDescriptor

_TOKEN: Final = 8  # bytes
_Answer = TypeVar("_Answer")


class Store:
    """An open store; a context manager. Every method may be called from any thread.

    Attributes:
        root: the path that it was opened by.
        blobs: the files beneath, for those who look closer (`verify`).
        ledger: which blobs may not have reached the disk.
    """

    def __init__(self, folder: Folder, boot_id: str | None) -> None:
        """Take over the open folder of a store; `Store.open` is the way to get one."""
        self.root = folder.path
        self.blobs = Blobs(folder)
        self.ledger = Ledger(
            folder, boot_id, is_stored=lambda digest: self.blobs.size(digest) is not None
        )
        self._folder = folder
        self._ingest: Folder | None = None
        self._lock = threading.Lock()
        self._ingests: weakref.WeakSet[Ingest] = weakref.WeakSet()

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        create: bool = True,
        boot_id: Callable[[], str | None] = current_boot_id,
    ) -> Self:
        """The store at `root`; an existing one is only read, a missing one is made.

        Args:
            root: the layout's folder.
            create: make the store, and its parent folders, where there is none.
            boot_id: tells this boot from others (see `boot`).

        Raises:
            NoStore: there is none, and `create` is off.
            StoreError: another user's, writable by everybody, no OCI layout, of an unknown
                version, or the disk refused.
        """
        return cls(open_root(root, create=create), boot_id())

    def path(self, digest: Digest) -> Path:
        """Where the blob is, or would be."""
        return self.blobs.path(digest)

    def size(self, digest: Digest) -> int | None:
        """The size in bytes of a blob that `has` would vouch for; None where it would not."""
        found = self.blobs.own_size(digest)
        return None if found is None or not self._is_sound(digest) else found

    def has(self, digest: Digest, size: int | None = None) -> bool:
        """Whether the blob is here, of this size where one is given, and not another user's.

        Nothing is hashed, unless a power cut may have spoiled the blob since it was written.

        Raises:
            StoreError: a link, folder, FIFO or device has the blob's name, or the disk failed.
        """
        found = self.blobs.own_size(digest)
        if found is None or (size is not None and found != size):
            return False
        return self._is_sound(digest)

    def read(self, digest: Digest, limit: int) -> bytes:
        """The bytes of a blob of at most `limit` bytes; they hash to its digest.

        Raises:
            StoreError: it is not here, is larger, or the disk failed.
            IntegrityError: its bytes are not those that its name promises.
        """
        return self.blobs.read(digest, limit)

    def put(self, digest: Digest, data: Buffer) -> None:
        """Store a blob that is in memory whole: a manifest, an index. Present already is fine.

        Raises:
            IntegrityError: `data` does not hash to `digest`.
            StoreError: the disk refused; nothing of it is left.
        """
        if not digest.matches(data):
            raise IntegrityError(f"{digest} has other bytes than its digest names")
        if self.has(digest, len(data)):
            return
        sync = not self.ledger.is_announced(digest)
        blobs = self.blobs.folder(digest.algorithm, create=True)
        ingest = self._ingest_folder()
        name = f"put-{os.urandom(_TOKEN).hex()}"
        fd = acquire(ingest, name, wait=True)
        assert fd is not None  # noqa: S101 - it was waited for
        try:
            fs.write_fully(fd, data, 0, self.path(digest))
            publish(fd, ingest, name, blobs, digest.hex, sync=sync)
        except BaseException:
            ingest.unlink(name)
            raise
        finally:
            fs.close_written(fd, self.path(digest))

    def announce(self, digests: Iterable[Digest]) -> None:
        """Note which blobs a run is about to write; durable when this returns.

        A blob that is announced costs no sync of its own when it is stored; one that is not does.

        Raises:
            StoreError: the disk refused.
        """
        self.ledger.announce(digests)

    def begin(self, digest: Digest, size: int) -> Ingest:
        """Start or continue receiving a blob of `size` bytes, to the exclusion of all others.

        Raises:
            Present: it is in the store already, perhaps since a moment ago.
            Busy: another process or thread receives it now.
            StoreError: the disk refused.
        """
        if self.has(digest, size):
            raise Present
        fd = acquire_partial(self._ingest_folder(), digest)
        if fd is None:
            raise Busy
        try:
            ingest = self._receive(digest, size, fd)
        except BaseException:
            release(fd)
            raise
        self._ingests.add(ingest)
        return ingest

    def images(self) -> tuple[NamedDescriptor, ...]:
        """What `index.json` names, in its order; other tools' nameless entries are left out.

        Raises:
            StoreError: `index.json` is damaged or unreadable.
        """
        return self.over_names(tuple)

    def over_names(self, function: Callable[[Iterable[NamedDescriptor]], _Answer]) -> _Answer:
        """What `function` makes of the same, one at a time, so that memory does not grow with them.

        Args:
            function: may be called twice, of which the second counts: it has no effects.

        Raises:
            StoreError: `index.json` is damaged or unreadable.
        """
        pieces = self._folder.pieces(names.INDEX_FILE, names.INDEX_LIMIT)
        try:
            with contextlib.closing(pieces):
                return function(root for root in stream_roots(pieces) if root.name)
        except (FileNotFoundError, Irregular):
            return function(names.named(self.index()))

    def index(self) -> dict[str, Any]:
        """The document `index.json`; without the file, one without entries.

        Raises:
            StoreError: it is damaged or unreadable.
        """
        try:
            return names.loads(self._folder.read(names.INDEX_FILE, names.INDEX_LIMIT))
        except FileNotFoundError:
            return names.loads(names.EMPTY_INDEX)
        except MalformedJson as error:
            raise StoreError(
                f"is damaged: {error.what}",
                where=safe(str(self.root / names.INDEX_FILE)),
                mend=(
                    "move it away: the blobs are kept, and `pinner sync` names its images again",
                ),
            ) from error

    def name_images(self, entries: Sequence[NamedDescriptor]) -> None:
        """Make each name point to its descriptor, all in one step that readers see whole.

        Call it when the blobs that the images need are stored. What other processes and tools
        named meanwhile stays; where nothing changes, nothing is written or locked.

        Raises:
            StoreError: `index.json` is damaged, or the disk refused; it is as it was.
        """
        before = self.index()
        if names.merged(before, entries) == before:
            return
        with self.locked() as held:
            self.replace_index(held, names.merged(self.index(), entries))

    def lease(self, *, optional: bool = False) -> Lease:
        """What a run needs and `prune` must leave alone; nothing is written before it is held.

        Args:
            optional: for who only reads: where the store cannot be written to, nothing is held.
        """
        return Lease(self._folder, optional=optional)

    def leased(self, *, tidy: bool = False) -> set[Digest]:
        """What running processes hold; `tidy` (under the lock) removes what dead ones left.

        Raises:
            StoreError: a lease cannot be read.
        """
        return leased(self._folder, tidy=tidy)

    def locked(self) -> AbstractContextManager[Held]:
        """The store's control lock, for who reads, decides and changes names or removes blobs."""
        return control_held(self._folder)

    def replace_index(self, held: Held, document: dict[str, Any]) -> None:
        """Make this the document `index.json`, whole; `held` is the store's own lock.

        Raises:
            StoreError: the disk refused; it is as it was.
        """
        held.replace(self._folder, names.INDEX_FILE, names.dumps(document))

    def sweep(self, *, now: float, older_than: float) -> int:
        """Remove what killed runs left in `ingest/` and nobody came back for.

        Args:
            now: seconds since the epoch.
            older_than: seconds since the last byte arrived; younger partials stay.

        Returns:
            How many files went. What another process holds is never touched.

        Raises:
            StoreError: the disk refused.
        """
        with self.ingest_folder() as folder:
            return len(sweep(folder, before=now - older_than)) if folder else 0

    @contextlib.contextmanager
    def ingest_folder(self) -> Iterator[Folder | None]:
        """The folder of partials, for looking through it; None where there is none yet."""
        try:
            folder = self._folder.folder(INGEST)
        except FileNotFoundError:
            yield None
            return
        try:
            yield folder
        finally:
            folder.close()

    def close(self) -> None:
        """Release the store, and note which blobs proved good after a power cut.

        Folders stay open under an ingest that a thread has not closed yet.
        """
        # A read-only store cannot be told; the blobs are then hashed once more next time.
        with contextlib.suppress(StoreError):
            self.ledger.settle()
        if any(ingest.is_open for ingest in self._ingests):
            return
        self.blobs.close()
        if self._ingest is not None:
            self._ingest.close()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _receive(self, digest: Digest, size: int, fd: int) -> Ingest:
        folder = self._ingest_folder()
        if self.has(digest, size):  # whoever held the lock before us stored it
            folder.unlink(partial_name(digest))
            raise Present
        return Ingest(
            digest=digest,
            size=size,
            partial=Partial(fd, folder, digest),
            blobs=self.blobs.folder(digest.algorithm, create=True),
            sync=not self.ledger.is_announced(digest),
        )

    def _is_sound(self, digest: Digest) -> bool:
        if not self.ledger.is_doubted(digest):
            return True
        if not self.blobs.matches(digest):
            return False
        self.ledger.trust(digest)
        return True

    def _ingest_folder(self) -> Folder:
        with self._lock:
            if self._ingest is None:
                self._ingest = self._folder.folder(INGEST, create=True)
            return self._ingest
