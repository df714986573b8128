"""One layer, from its file to the few members that matter.

Nothing is unpacked: names only decide what is kept in memory, within the limits of `Budget`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.fsio import release
from pinner.inventory import tar
from pinner.inventory.changelog import wants_changelog
from pinner.inventory.contents import Contents, Entry, Kind
from pinner.inventory.decompress import Decompressed
from pinner.inventory.unreadable import Unreadable
from pinner.inventory.wanted import OPAQUE, WHITEOUT, normalised
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pinner.inventory.contents import Layer
    from pinner.inventory.wanted import Wanted

DATABASE_LIMIT: Final = 64 * 1024**2
CHANGELOG_LIMIT: Final = 4 * 1024**2
HELD_LIMIT: Final = 128 * 1024**2
ENTRY_LIMIT: Final = 50_000
ENTRIES_TEXT_LIMIT: Final = 16 * 1024**2
TEXT_LIMIT: Final = 4096  # of a path or a link's target: PATH_MAX
_TAR: Final = "tar"  # in the media type of every layer that is one
_KINDS: Final = {
    tar.FILE: Kind.FILE,
    tar.FOLDER: Kind.FOLDER,
    tar.SYMLINK: Kind.SYMLINK,
    tar.HARD_LINK: Kind.HARD_LINK,
}


@dataclass(slots=True)
class Budget:
    """What may still be held in memory, over all layers that are read together.

    Attributes:
        held: bytes of files.
        entries: members, whiteouts among them.
        text: characters of their paths and links.
    """

    held: int = HELD_LIMIT
    entries: int = ENTRY_LIMIT
    text: int = ENTRIES_TEXT_LIMIT


def read_layer(layer: Layer, wanted: Wanted, budget: Budget) -> Contents:
    """What matters in a layer.

    Raises:
        Unreadable: it is not at hand, or cannot be read to its end.
    """
    with _opened(layer) as fd, open(fd, "rb", buffering=0, closefd=False) as file:
        chunks = Decompressed(file)
        try:
            contents = read_tar(chunks, wanted, budget)
        except Unreadable as error:
            media_type = layer.descriptor.media_type
            if _TAR not in media_type:
                shown = safe(media_type, limit=100)
                raise Unreadable(f'{error}; its media type is "{shown}"') from error
            raise
    return Contents(
        entries=contents.entries,
        hidden=contents.hidden,
        emptied=contents.emptied,
        notes=(*contents.notes, *chunks.flaws),
    )


@contextlib.contextmanager
def _opened(layer: Layer) -> Iterator[int]:
    if layer.path is None:
        raise Unreadable("it is not at hand")
    try:
        # O_NONBLOCK: opening a FIFO must fail the check below, not hang.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        fd = os.open(layer.path, flags)
    except FileNotFoundError:
        raise Unreadable("it is not at hand") from None
    except OSError as error:
        raise Unreadable(f"it cannot be opened: {error.strerror}") from error
    try:
        try:
            is_regular = stat.S_ISREG(os.fstat(fd).st_mode)
        except OSError as error:
            raise Unreadable(f"it cannot be opened: {error.strerror}") from error
        if not is_regular:
            raise Unreadable("it is not a regular file")
        yield fd
    finally:
        release(fd)


def read_tar(chunks: Iterable[bytes], wanted: Wanted, budget: Budget) -> Contents:
    """What matters in the tar archive that `chunks` are.

    Raises:
        Unreadable: it cannot be read to its end, or has more than `budget` allows.
    """
    left = dataclasses.replace(budget)
    taking = _Taking(wanted, left)
    archive = tar.Tar(chunks, taking.wants, wanted.may_matter)
    for member in archive:
        taking.take(member)
    # A layer that failed holds nothing.
    budget.held, budget.entries, budget.text = left.held, left.entries, left.text
    return Contents(
        entries=tuple(taking.entries.values()),
        hidden=frozenset(taking.hidden),
        emptied=frozenset(taking.emptied),
        notes=(*taking.notes, *archive.flaws),
    )


class _Taking:
    """Takes members of one archive, as long as the budget lasts."""

    def __init__(self, wanted: Wanted, budget: Budget) -> None:
        self._wanted = wanted
        self._budget = budget
        self.entries: dict[str, Entry] = {}
        self.hidden: set[str] = set()
        self.emptied: set[str] = set()
        self.notes: list[str] = []

    def wants(self, name: bytes, size: int) -> bool:
        """Whether the data of a file is to be read."""
        path = normalised(name)
        if not self._wanted.takes(path) or path.rpartition("/")[2].startswith(WHITEOUT):
            return False
        limit = CHANGELOG_LIMIT if wants_changelog(path) else DATABASE_LIMIT
        if size > limit:
            self.notes.append(f"{safe(path, limit=200)} has {size} bytes, more than {limit}")
            return False
        if size > self._budget.held:
            self.notes.append(f"{safe(path, limit=200)} was left out: the files are too many")
            return False
        self._budget.held -= size
        return True

    def take(self, member: tar.Member) -> None:
        """Keep a member, a whiteout or another.

        Raises:
            Unreadable: there are too many.
        """
        path = normalised(member.name)
        if not path or max(len(path), len(member.link)) > TEXT_LIMIT:
            return
        self._budget.entries -= 1
        self._budget.text -= len(path) + len(member.link)
        if self._budget.entries < 0 or self._budget.text < 0:
            raise Unreadable("it has too many files on the way to its databases")
        folder, slash, last = path.rpartition("/")
        if last == OPAQUE:
            self.emptied.add(folder)
        elif last.startswith(WHITEOUT):
            hidden = last.removeprefix(WHITEOUT)
            if hidden not in {"", ".", ".."}:  # of no file that could be there
                self.hidden.add(f"{folder}{slash}{hidden}")
        else:
            kind = _KINDS.get(member.kind, Kind.OTHER)
            target = member.link.decode("utf-8", "surrogateescape")
            if kind is Kind.HARD_LINK:
                target = normalised(member.link)
            if member.sparse and self._wanted.takes(path):
                self.notes.append(f"{safe(path, limit=200)} is a sparse file, which is not read")
            replaced = self.entries.pop(path, None)
            if replaced is not None and replaced.data is not None:
                self._budget.held += len(replaced.data)
            self.entries[path] = Entry(path, kind, target, member.data)
