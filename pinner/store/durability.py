"""Which blobs may not have reached the disk: the promise of docs/adr/0001-durability-by-boot-id.md.

Before a run writes blobs it notes their digests, and makes the note durable: a few syncs for a run
instead of two for each blob. Notes are files named by the boot that wrote them:

    .pinner/unsynced/<boot id>    lines of digests; appended to, each append begins with a line feed
    .pinner/unsynced/doubted      the notes of earlier boots in one, and what `verify` found corrupt

What this boot wrote is in the page cache or on the disk: it can be trusted. What another note
lists is *doubted*: hashed once before it is trusted, and then struck off.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pinner.fsio import release
from pinner.oci.digest import Digest, InvalidDigest
from pinner.store import fs
from pinner.store.control import CONTROL, control_held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pinner.store.control import Held
    from pinner.store.fs import Folder

_UNSYNCED: Final = "unsynced"
_DOUBTED: Final = "doubted"
_LIMIT: Final = 256 * 1024 * 1024


class Ledger:
    """What this process knows of the notes; every method may be called from any thread."""

    def __init__(
        self, root: Folder, boot_id: str | None, *, is_stored: Callable[[Digest], bool]
    ) -> None:
        self._root = root
        self._boot_id = boot_id
        self._is_stored = is_stored
        self._lock = threading.Lock()
        self._announced: set[Digest] = set()
        self._doubted: set[Digest] | None = None
        self._trusted: set[Digest] = set()

    def announce(self, digests: Iterable[Digest]) -> None:
        """Note that these blobs will be written by this boot; durable when this returns.

        Without a boot id this does nothing, and each blob is synced when it is committed.
        """
        wanted = set(digests) - self._announced
        if not wanted or self._boot_id is None:
            return
        with control_held(self._root) as held:
            notes = held.folder.folder(_UNSYNCED, create=True)
            try:
                fresh = sorted(wanted - _read(notes, self._boot_id))
                _append(notes, self._boot_id, fresh)
                # Each of these may be new, or noted by a process that died before its sync.
                for folder in (notes, held.folder, self._root):
                    folder.sync()
                if fresh:
                    self._fold_earlier_boots(held, notes)
            finally:
                notes.close()
        with self._lock:
            self._announced |= wanted

    def is_announced(self, digest: Digest) -> bool:
        """Whether this blob may be committed without a sync of its own."""
        return digest in self._announced

    def is_doubted(self, digest: Digest) -> bool:
        """Whether a power cut may have spoiled this blob since somebody wrote it."""
        doubted = self._doubted
        if doubted is None:
            with self._lock:
                if self._doubted is None:
                    self._doubted = self._read_doubts()
                doubted = self._doubted
        return bool(doubted) and digest in doubted

    def trust(self, digest: Digest) -> None:
        """This blob was read back whole, in a later boot than it was written: it is on the disk."""
        with self._lock:
            if self._doubted is not None:
                self._doubted.discard(digest)
            self._trusted.add(digest)

    def settle(self) -> None:
        """Strike what was found good off the notes of other boots; nothing to strike: no write."""
        with self._lock:
            trusted, self._trusted = self._trusted, set()
        if trusted:
            self._rewrite(lambda name, noted: noted if name == self._boot_id else noted - trusted)

    def settle_verified(self, good: set[Digest], bad: set[Digest]) -> None:
        """After every blob was read: strike the good ones, which are durable now, doubt the bad."""
        self._rewrite(lambda name, noted: (noted - good) | (bad if name == _DOUBTED else set()))
        with self._lock:
            self._doubted = None

    def noted(self) -> set[Digest]:
        """Every digest of every note, this boot's too."""
        return set().union(*self._read_all().values())

    def _fold_earlier_boots(self, held: Held, notes: Folder) -> None:
        """Keep two notes at most, and none of blobs that are gone: they would be fetched anew."""
        earlier = [name for name in notes.names() if name not in {self._boot_id, _DOUBTED}]
        if not earlier:
            return
        noted = set().union(*(_read(notes, name) for name in (*earlier, _DOUBTED)))
        _replace(held, notes, _DOUBTED, {digest for digest in noted if self._is_stored(digest)})
        for name in earlier:
            notes.unlink(name)

    def _read_doubts(self) -> set[Digest]:
        # This boot's own note may be of 100,000 blobs, and says nothing against them.
        return set().union(*self._read_all(but=self._boot_id).values())

    def _read_all(self, *, but: str | None = None) -> dict[str, set[Digest]]:
        try:
            control = self._root.folder(CONTROL)
        except FileNotFoundError:
            return {}
        try:
            notes = control.folder(_UNSYNCED)
        except FileNotFoundError:
            return {}
        finally:
            control.close()
        try:
            return {name: _read(notes, name) for name in notes.names() if name != but}
        finally:
            notes.close()

    def _rewrite(self, change: Callable[[str, set[Digest]], set[Digest]]) -> None:
        with control_held(self._root) as held:
            notes = held.folder.folder(_UNSYNCED, create=True)
            try:
                for name in {*notes.names(), _DOUBTED}:
                    before = _read(notes, name)
                    after = change(name, before)
                    if after != before:
                        _replace(held, notes, name, after)
            finally:
                notes.close()


def _read(notes: Folder, name: str) -> set[Digest]:
    """The digests of one note; a line that is none was torn by a crash and never acted upon."""
    try:
        data = notes.read(name, _LIMIT)
    except FileNotFoundError:
        return set()
    found = set()
    for line in data.decode("ascii", "replace").split("\n"):
        try:
            found.add(Digest.parse(line))
        except InvalidDigest:
            continue
    return found


def _append(notes: Folder, name: str, digests: list[Digest]) -> None:
    path = notes.path / name
    fd = notes.open_file(name, os.O_WRONLY | os.O_CREAT)
    try:
        if digests:
            fs.write_fully(fd, _lines(digests), fs.status(fd, path).st_size, path)
        fs.sync_file(fd, path)
    finally:
        release(fd)


def _replace(held: Held, notes: Folder, name: str, digests: set[Digest]) -> None:
    if digests:
        held.replace(notes, name, _lines(sorted(digests)))
    else:
        notes.unlink(name)


def _lines(digests: Iterable[Digest]) -> bytes:
    return ("\n" + "".join(f"{digest}\n" for digest in digests)).encode("ascii")
