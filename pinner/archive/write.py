"""The stream of an archive: blobs are copied, into a pipe by the kernel, and hashed meanwhile.

    for each blob:  header · all but its last block · the verdict on its hash · the last block

Threads read and hash the blobs in the order of the tar, a few ahead of the one that is copied, so
every byte comes from the disk once. A blob whose bytes are not those of its digest ends the
stream before its own end: what was written so far is no tar that any reader takes, since readers
notice a file that is cut short, and not files that are missing at the end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import select
import stat
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from pinner.archive.plan import StoredBlob
from pinner.archive.shown import Shown
from pinner.archive.tar import BLOCK, END, header, padding
from pinner.errors import IntegrityError, StoreError
from pinner.fsio import release
from pinner.progress import NullProgress
from pinner.store.fs import store_error
from pinner.terminal import safe
from pinner.workers import start_daemon, take

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pinner.archive.plan import ArchivePlan
    from pinner.progress import Progress
    from pinner.store.layout import Store

_PIECE: Final = 256 * 1024  # stays in a core's cache between the copy and the hash
_COPIED: Final = 8 * 1024 * 1024  # at once, so that Ctrl-C is not kept waiting
_WRITTEN: Final = 1024 * 1024
_PIPE: Final = 1024 * 1024
_AHEAD: Final = 2  # blobs for each thread
# What `sendfile` answers where it cannot write to such a file, on macOS to any but a socket.
_CANNOT_SEND: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSOCK, errno.EOPNOTSUPP})
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_archive(
    plan: ArchivePlan,
    store: Store,
    fd: int,
    where: str,
    *,
    jobs: int,
    progress: Progress | None = None,
    wrote: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the whole archive to a descriptor: a file, a pipe or a socket.

    Args:
        plan: what it consists of.
        store: has the blobs.
        fd: takes the bytes, from where it stands; it stays open.
        where: names it in messages, safe to print.
        jobs: how many threads hash.
        progress: who listens.
        wrote: is told how many more bytes of blobs were written; what it raises ends the archive.

    Raises:
        IntegrityError: a blob's bytes are not those of its digest. What was written is no archive.
        StoreError: a blob has gone or cannot be read, or the target takes no more.
    """
    sink = _Sink(fd, where)
    shown = Shown(plan, progress or NullProgress(), wrote)
    with _Verifier(plan.blobs, store, jobs=jobs) as verifier:
        for entry in plan.entries:
            if isinstance(entry, StoredBlob):
                sink.write(header(entry.name, entry.size))
                _copy(verifier.take(), sink, shown)
                sink.write(padding(entry.size))
            else:
                size = len(entry.data)
                sink.write(header(entry.name, size) + entry.data + padding(size))
    sink.write(END)


def _copy(blob: _Opened, sink: _Sink, shown: Shown) -> None:
    with blob:
        rest = max(0, blob.size - BLOCK)
        for count in sink.copy(blob, 0, rest):
            shown.moved(blob.blob, count)
        blob.require_sound()
        for count in sink.copy(blob, rest, blob.size):
            shown.moved(blob.blob, count)
    shown.ended(blob.blob)


@dataclass(slots=True)
class _Opened:
    """A blob's open file, and, once it is hashed, whether its bytes are right."""

    blob: StoredBlob
    path: Path
    fd: int
    verdict: queue.SimpleQueue[bool | BaseException] = field(default_factory=queue.SimpleQueue)

    @property
    def size(self) -> int:
        return self.blob.size

    def hash(self, stop: threading.Event) -> None:
        """Read the whole file, and say whether it is the blob; called in a thread."""
        try:
            hasher = self.blob.digest.hasher()
            offset = 0
            while not stop.is_set() and (piece := os.pread(self.fd, _PIECE, offset)):
                hasher.update(piece)
                offset += len(piece)
        except OSError as error:
            self.verdict.put(store_error(error, self.path, "cannot be read"))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            self.verdict.put(error)
        else:
            self.verdict.put(hasher.hexdigest() == self.blob.digest.hex)

    def require_sound(self) -> None:
        """Wait for the verdict.

        Raises:
            IntegrityError: the file holds other bytes.
            StoreError: it cannot be read.
        """
        verdict = take(self.verdict)
        if isinstance(verdict, BaseException):
            raise verdict
        if not verdict:
            raise self.corrupt()

    def corrupt(self) -> IntegrityError:
        return IntegrityError(
            f"blob {self.blob.digest} is corrupt in the store, and the archive was not finished",
            where=safe(str(self.path)),
            mend="run `pinner verify`; the next `pinner sync` fetches it anew",
        )

    def close(self) -> None:
        fd, self.fd = self.fd, -1
        if fd >= 0:
            release(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Verifier:
    """Opens blobs in their order and has them hashed, some ahead of the one that is taken."""

    def __init__(self, blobs: Sequence[StoredBlob], store: Store, *, jobs: int) -> None:
        self._coming = iter(blobs)
        self._store = store
        self._stop = threading.Event()
        self._todo: queue.SimpleQueue[_Opened | None] = queue.SimpleQueue()
        self._open: deque[_Opened] = deque()
        self._ahead = _AHEAD * jobs
        self._threads = [
            start_daemon(self._work, f"pinner-hash-{number}")
            for number in range(min(jobs, len(blobs)))
        ]

    def take(self) -> _Opened:
        """The next blob, open; whoever takes it closes it."""
        while len(self._open) < self._ahead and (blob := next(self._coming, None)):
            opened = self._opened(blob)
            self._open.append(opened)
            self._todo.put(opened)
        return self._open.popleft()

    def _opened(self, blob: StoredBlob) -> _Opened:
        path = self._store.path(blob.digest)
        try:
            folder = self._store.blobs.folder(blob.digest.algorithm, create=False)
            return _Opened(blob, path, folder.open_file(blob.digest.hex, os.O_RDONLY))
        except FileNotFoundError:
            raise StoreError(
                f"blob {blob.digest} has gone from the store meanwhile, and the archive was not "
                "finished",
                where=safe(str(path)),
                mend="run `pinner sync`, then export again",
            ) from None

    def _work(self) -> None:
        while (opened := self._todo.get()) is not None:
            opened.hash(self._stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for _ in self._threads:
            self._todo.put(None)
        for thread in self._threads:  # each is at the end of a piece soon
            thread.join()
        for opened in self._open:
            opened.close()


class _Sink:
    """Where the archive goes."""

    def __init__(self, fd: int, where: str) -> None:
        self._fd = fd
        self._where = where
        # Into a file, the kernel takes detours that cost more than to read and write.
        self._sends = hasattr(os, "sendfile") and not stat.S_ISREG(os.fstat(fd).st_mode)
        _widen(fd)

    def write(self, data: bytes) -> None:
        """Write all of it."""
        view = memoryview(data)
        with self._failures():
            while view:
                try:
                    view = view[os.write(self._fd, view) :]
                except BlockingIOError:
                    self._wait()

    def copy(self, blob: _Opened, start: int, end: int) -> Iterator[int]:
        """Write the bytes [start, end) of a blob's file; how many at a time."""
        while start < end:
            sent = self._send(blob, start, min(end - start, _COPIED))
            if not sent:
                raise blob.corrupt()  # it became shorter
            start += sent
            yield sent

    def _send(self, blob: _Opened, start: int, count: int) -> int:
        """Write some of the bytes from `start` on; how many, 0 at the end of the file."""
        while self._sends:
            with self._failures():
                try:
                    return os.sendfile(self._fd, blob.fd, start, count)
                except BlockingIOError:
                    self._wait()
                except OSError as error:
                    if error.errno not in _CANNOT_SEND:
                        raise
                    self._sends = False
        try:
            piece = os.pread(blob.fd, min(count, _WRITTEN), start)
        except OSError as error:
            raise store_error(error, blob.path, "cannot be read") from error
        self.write(piece)
        return len(piece)

    def _wait(self) -> None:
        """Until a pipe that somebody made not to block takes more."""
        waiting = select.poll()
        waiting.register(self._fd, select.POLLOUT)
        waiting.poll()

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            raise StoreError(
                "whoever reads the archive left before its end", where=self._where
            ) from error
        except OSError as error:
            raise StoreError(
                f"cannot be written: {error.strerror}",
                where=self._where,
                mend="free some space, or write to another disk" if error.errno in _FULL else (),
            ) from error


def _widen(fd: int) -> None:
    """Let a pipe hold more, so that writer and reader take turns less often."""
    with contextlib.suppress(ImportError, OSError):  # no pipe, or not as much is allowed
        from fcntl import F_SETPIPE_SZ, fcntl  # noqa: PLC0415 - Linux has it

        fcntl(fd, F_SETPIPE_SZ, _PIPE)
