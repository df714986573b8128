"""One blob on its way into the store: received in any order, hashed in order, then published.

    write (any thread) -> partial -> frontier moves, hashing -> commit: digest and size -> rename

Workers write disjoint pieces at once. What continues the hashed part, the *frontier*, is hashed
from the caller's buffer; what came early is read back (from the page cache) when the frontier
reaches it, a bounded amount in each write, so that no worker leaves its connection for long.
Memory does not grow with the blob.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import IntegrityError, StoreError
from pinner.store.extents import Extents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pinner.oci.digest import Buffer, Digest
    from pinner.store.fs import Folder
    from pinner.store.partial import Partial

_JOURNAL_EVERY: Final = 1024 * 1024
_CATCH_UP: Final = 8 * 1024 * 1024


class Present(Exception):  # noqa: N818 - an outcome, not a failure
    """The blob is in the store already: there is nothing to fetch."""


class Busy(Exception):  # noqa: N818 - an outcome, not a failure
    """Another process or thread receives this blob now: ask again later."""


class Ingest:
    """A context manager that holds the blob's lock until `commit` or `close`.

    Attributes:
        digest: what the bytes have to hash to.
        size: of the whole blob, in bytes.
        resumed: bytes that an earlier run left, as it began: where these are not 0, a first wrong
            `commit` may be that run's fault (a power cut spoils partials) and not the source's.
    """

    def __init__(
        self, *, digest: Digest, size: int, partial: Partial, blobs: Folder, sync: bool
    ) -> None:
        """Go on with `partial`, which is this ingest's from now on; `Store.begin` makes these.

        Args:
            digest: of the blob.
            size: of the blob, in bytes.
            partial: its locked file.
            blobs: where the blob will be.
            sync: make the blob itself durable in `commit`, since no note covers it.

        Raises:
            StoreError: the disk refused; `partial` is still the caller's to close.
        """
        self.digest = digest
        self.size = size
        self._partial = partial
        self._blobs = blobs
        self._sync = sync
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._writers = 0
        self._open = True
        found = partial.resume(size)
        self.resumed = found.total
        self._start(found)

    def _start(self, found: Extents) -> None:
        self._received = found
        self._claimed = found.copy()
        self._unjournaled: list[tuple[int, int]] = []
        self._unjournaled_size = 0
        self._hasher = self.digest.hasher()
        self._hashed = 0
        self._hashing = False
        self._spoiled = False

    @property
    def is_open(self) -> bool:
        """Whether it still holds its lock."""
        return self._open

    @property
    def received(self) -> int:
        """How many bytes are here."""
        return self._received.total

    def missing(self) -> tuple[tuple[int, int], ...]:
        """The gaps as [start, end), in order; empty when only `commit` is left to do."""
        with self._lock:
            return self._received.gaps(self.size)

    def write(self, offset: int, data: Buffer) -> None:
        """Take `data` in at `offset`; several threads may, for disjoint pieces in any order.

        Raises:
            IntegrityError: the piece reaches beyond the blob's size; nothing was written.
            StoreError: the disk refused; `close` will then remove the partial.
            ValueError: a part of it was written before, or the ingest is closed: a caller's bug.
        """
        end = offset + len(data)
        if end > self.size:
            raise IntegrityError(
                f"{self.digest} is longer than the {self.size} bytes that its descriptor promises"
            )
        with self._lock:
            self._check_open()
            # Bytes that were hashed must not change behind the hash.
            if not self._claimed.add(offset, end):
                raise ValueError(f"[{offset}, {end}) of {self.digest} is written twice")
            self._writers += 1
        try:
            self._partial.write(offset, data)
            self._advance(offset, end, data)
        except StoreError:
            self._spoiled = True
            raise
        finally:
            with self._lock:
                self._writers -= 1
                if not self._writers:
                    self._idle.notify_all()

    def reset(self) -> None:
        """Forget every byte, and start over under the same lock.

        Raises:
            StoreError: the disk refused.
            ValueError: the ingest is closed: a caller's bug.
        """
        with self._quiet():
            self._check_open()
            self._partial.empty()
            self._start(Extents())

    def commit(self) -> None:
        """Verify the blob, give it its name in the store, and close.

        When this returns the blob is durable, or a durable note says that it may not be.

        Raises:
            IntegrityError: bytes are missing (they can still be written), or all of them hash to
                another digest: then the ingest is empty, as after `reset`, and still held.
            StoreError: the disk refused; the ingest is still to be closed.
            ValueError: the ingest is closed: a caller's bug.
        """
        with self._quiet():
            self._check_open()
            if self._received.total != self.size:
                raise IntegrityError(
                    f"{self.digest} has {self._received.total} of {self.size} bytes"
                )
            self._hash_up_to(self.size)
            found = self._hasher.hexdigest()
            if found != self.digest.hex:
                self.reset()
                raise IntegrityError(
                    f"{self.digest} has other bytes than its digest names: "
                    f"they hash to {self.digest.algorithm}:{found}"
                )
            try:
                self._partial.publish(self._blobs, sync=self._sync)
            except StoreError:
                # After a failed sync the pages may be gone from memory and disk alike (T05).
                self._spoiled = self._sync
                raise
            self._release()

    def close(self) -> None:
        """Free the lock; the partial stays for a next run, if it holds anything of use.

        Waits for writes under way: their descriptor's number would soon be another file's.

        Raises:
            StoreError: a worthless partial could not be removed.
        """
        with self._quiet():
            if not self._open:
                return
            try:
                if self._spoiled or not self._received.total:
                    self._partial.remove()
                elif self._unjournaled:
                    # What is not journaled is fetched again: no failure.
                    with contextlib.suppress(StoreError):
                        self._partial.note(self._unjournaled)
            finally:
                self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _advance(self, offset: int, end: int, data: Buffer) -> None:
        """The piece is written: count it, move the frontier if nobody else does, journal."""
        due: list[tuple[int, int]] = []
        with self._lock:
            self._received.add(offset, end)
            self._unjournaled.append((offset, end))
            self._unjournaled_size += end - offset
            if self._unjournaled_size >= _JOURNAL_EVERY:
                due, self._unjournaled, self._unjournaled_size = self._unjournaled, [], 0
            ours = not self._hashing and self._received.run_end(self._hashed) > self._hashed
            self._hashing = self._hashing or ours
        if ours:
            try:
                self._move_frontier(offset, end, data)
            finally:
                self._hashing = False
        if due:
            self._partial.note(due)

    def _move_frontier(self, offset: int, end: int, data: Buffer) -> None:
        """Hash what the frontier can reach; whoever raised `_hashing` is alone here."""
        if offset == self._hashed:
            self._hasher.update(data)
            self._hashed = end
        with self._lock:
            reachable = self._received.run_end(self._hashed)
        self._hash_up_to(min(reachable, self._hashed + _CATCH_UP))

    def _hash_up_to(self, end: int) -> None:
        try:
            self._partial.hash_range(self._hasher, self._hashed, end)
        except StoreError:
            self._hasher, self._hashed = self.digest.hasher(), 0
            raise
        self._hashed = end

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """No writer is at work, and none begins."""
        with self._lock:
            self._idle.wait_for(lambda: not self._writers)
            yield

    def _check_open(self) -> None:
        if not self._open:
            raise ValueError(f"the ingest of {self.digest} is closed")

    def _release(self) -> None:
        self._open = False
        self._partial.close()
