"""A disk that forgets: what a traced run did to its folders, and what a power cut may leave of it.

Only what was synced is certain. Of the rest each write may be there, be missing, or have left
zeros; each change of a name may have been made or not, in the order of a journal or in none.

    disk = Disk({store: …, project: …})        # what was there, and is durable
    for call in calls: disk.do(call)
    disk.cut(chance, How.ANY)                  # path -> bytes, of what is left
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from campaign.tracing import Call


class How(enum.Enum):
    """What is left of what was not synced."""

    NOTHING = "nothing that was not synced"
    NAMES = "all names, and zeros or less for bytes that were not synced"
    ORDERED = "a random part, names in the order of their changes"
    ANY = "a random part, in any order"


@dataclass(eq=False)
class File:
    """Bytes that are on the disk, and what was done to them since."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def now(self) -> bytes:
        """What a reader sees while the power is on."""
        data = bytearray(self.durable)
        for offset, piece in self.pending:
            _apply(data, offset, piece)
        return bytes(data)

    def sync(self) -> None:
        self.durable, self.pending = self.now(), []

    def cut(self, chance: random.Random, how: How) -> bytes:
        data = bytearray(self.durable)
        for offset, piece in self.pending if how is not How.NOTHING else ():
            kept = chance.choice(("whole", "zeros", "part", "none"))
            if kept == "none":
                continue
            if piece is None or kept == "whole":
                _apply(data, offset, piece)
            elif kept == "zeros":
                _apply(data, offset, bytes(len(piece)))
            else:
                _apply(data, offset, piece[: chance.randrange(len(piece) + 1)])
        return bytes(data)


@dataclass(eq=False)
class Folder:
    """Names that are on the disk, and what was done to them since."""

    durable: dict[str, Node] = field(default_factory=dict)
    names: dict[str, Node] = field(default_factory=dict)


Node: TypeAlias = "File | Folder"


@dataclass(frozen=True, slots=True)
class _Change:
    """Names that change in one step; None takes one away."""

    entries: tuple[tuple[Folder, str, Node | None], ...]


class Disk:
    """The folders below some roots, whose parents are certain."""

    def __init__(self, roots: Iterable[Path], files: Mapping[Path, bytes]) -> None:
        self._top = Folder()
        self._changes: list[_Change] = []
        self._roots = [str(root) for root in roots]
        for root in self._roots:
            self._folder(Path(root).parent, make=True)
        for path, data in files.items():
            folder = self._folder(path.parent, make=True)
            folder.names[path.name] = folder.durable[path.name] = File(durable=data)

    def do(self, call: Call) -> bool:
        """Take part in one call; whether it changed what a power cut may leave."""
        changed = False
        match call.kind if call.answer >= 0 else "":
            case "openat" if "O_CREAT" in call.given:
                changed = self._create(Path(call.place), File())
            case "mkdir" | "mkdirat":
                changed = self._create(Path(call.place), Folder())
            case "rename":
                changed = self._rename(Path(call.names[0]), Path(call.names[1]))
            case "renameat" | "renameat2":
                old = Path(call.paths[0], call.names[0])
                changed = self._rename(old, Path(call.paths[1], call.names[1]))
            case "unlink" | "unlinkat":
                changed = self._change((self._place(Path(call.place)), None))
            case "fsync" | "fdatasync":
                changed = self._sync(Path(call.paths[0]))
            case "write" | "pwrite64" | "ftruncate":
                changed = self._write(call)
        return changed

    def cut(self, chance: random.Random, how: How) -> dict[Path, bytes | None]:
        """The files, and the folders (None), that are there after a power cut."""
        left: dict[tuple[int, str], Node | None] = {}
        for change in self._kept(chance, how):
            for folder, name, node in change.entries:
                left[id(folder), name] = node
        found: dict[Path, bytes | None] = {}
        self._walk(self._top, Path("/"), left, found, (chance, how))
        return {
            path: data for path, data in found.items() if str(path).startswith(tuple(self._roots))
        }

    def _kept(self, chance: random.Random, how: How) -> list[_Change]:
        match how:
            case How.NOTHING:
                return []
            case How.NAMES:
                return self._changes
            case How.ORDERED:
                return self._changes[: chance.randrange(len(self._changes) + 1)]
            case How.ANY:
                return [change for change in self._changes if chance.random() < _KEPT]

    def _walk(
        self,
        folder: Folder,
        path: Path,
        left: Mapping[tuple[int, str], Node | None],
        found: dict[Path, bytes | None],
        cut: tuple[random.Random, How],
    ) -> None:
        changed = {name for key, name in left if key == id(folder)}
        for name in sorted({*folder.durable, *changed}):
            node = left[id(folder), name] if name in changed else folder.durable.get(name)
            if isinstance(node, Folder):
                found[path / name] = None
                self._walk(node, path / name, left, found, cut)
            elif node is not None:
                found[path / name] = node.cut(*cut)

    def _create(self, path: Path, node: Node) -> bool:
        folder, name = self._place(path)
        return name not in folder.names and self._change(((folder, name), node))

    def _rename(self, old: Path, new: Path) -> bool:
        origin, name = self._place(old)
        moved = origin.names.get(name)
        if moved is None:
            return False
        return self._change(((origin, name), None), (self._place(new), moved))

    def _change(self, *entries: tuple[tuple[Folder, str], Node | None]) -> bool:
        for (folder, name), node in entries:
            if node is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = node
        self._changes.append(
            _Change(tuple((folder, name, node) for (folder, name), node in entries))
        )
        return True

    def _sync(self, path: Path) -> bool:
        node = self._find(path)
        if isinstance(node, File):
            node.sync()
        elif isinstance(node, Folder):
            node.durable = dict(node.names)
            # A name that moved between folders stays a change of the other one.
            rest = [
                _Change(tuple(entry for entry in change.entries if entry[0] is not node))
                for change in self._changes
            ]
            self._changes = [change for change in rest if change.entries]
        return node is not None

    def _write(self, call: Call) -> bool:
        node = self._find(Path(call.paths[0]))
        if not isinstance(node, File):
            return False
        last = int(call.given.rpartition(",")[2])
        if call.kind == "ftruncate":
            node.pending.append((last, None))
        else:
            offset = last if call.kind == "pwrite64" else len(node.now())
            node.pending.append((offset, call.names[0].encode("latin-1")[: call.answer]))
        return True

    def _place(self, path: Path) -> tuple[Folder, str]:
        return self._folder(path.parent), path.name

    def _find(self, path: Path) -> Node | None:
        folder, name = self._place(path)
        return folder.names.get(name)

    def _folder(self, path: Path, *, make: bool = False) -> Folder:
        folder = self._top
        for part in path.parts[1:]:
            node = folder.names.get(part)
            if node is None and make:
                node = folder.names[part] = folder.durable[part] = Folder()
            if not isinstance(node, Folder):
                raise LookupError(f"the trace knows no folder {path}")  # noqa: TRY004 - a path
            folder = node
        return folder


_KEPT: Final = 0.6


def _apply(data: bytearray, offset: int, piece: bytes | None) -> None:
    """Write a piece; None cuts the file off."""
    if piece is None:
        del data[offset:]
        return
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(piece)] = piece
