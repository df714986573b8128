"""Layers put on top of each other, and paths followed in what comes out (image-spec layer.md).

Whiteouts and opaque marks of a layer work on the layers below it only, wherever in the layer they
stand. Then its members take their places in order, below folders that links may lead to. A member
replaces what was there, and all below it, unless both are folders.

The lowest layers need not be given. So each folder knows whether it knows all that is in it, and a
path is found, absent, or unknown until more layers are read.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from pinner.inventory.contents import Kind
from pinner.inventory.wanted import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.inventory.contents import Contents, Entry

HOPS: Final = 8
"""Symbolic links on the way to one file."""


class State(enum.Enum):
    """What a path turned out to be."""

    FILE = enum.auto()
    FOLDER = enum.auto()
    ABSENT = enum.auto()
    UNKNOWN = enum.auto()
    """It depends on layers that were not given."""
    ODD = enum.auto()
    """Something that cannot be read as a file; `Spot.why` says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What is at a path when all links are followed.

    Attributes:
        real: the path that links lead to, itself free of links.
        linked: whether there was a link on the way.
        data: of a file, where its layer's reader took it.
        names: what is known to be in a folder.
        gone: what whiteouts took away from a folder, and nothing put back.
        knows_all: whether `names` is all of it; of an absent folder it is.
        why: as the end of a sentence about the path.
    """

    state: State
    real: str
    linked: bool = False
    data: bytes | None = None
    names: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    knows_all: bool = False
    why: str = ""


@dataclass(slots=True)
class _Folder:
    knows_all: bool
    children: dict[str, _Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """Anything but a folder.

    Attributes:
        text: where a symbolic link points; where the file of a hard link without one should be.
        lost: whether it is a hard link without its file; then `known` says that there is none.
    """

    kind: Kind
    text: str = ""
    data: bytes | None = None
    lost: bool = False
    known: bool = True


_GONE: Final = _Leaf(Kind.OTHER)  # told apart by identity
_Node: TypeAlias = _Folder | _Leaf


class Overlay:
    """The files that matter of a stack of layers.

    Attributes:
        is_blind: whether a layer could not be read, so that those below it do not help.
    """

    def __init__(self, layers: Iterable[Contents | None], *, is_whole: bool) -> None:
        """Stack them, the lowest first; None is one that could not be read.

        Args:
            layers: what matters in each.
            is_whole: whether there is no layer below them.
        """
        self._root = _Folder(knows_all=is_whole)
        self.is_blind = False
        for contents in layers:
            if contents is None:
                self._root = _Folder(knows_all=False)
                self.is_blind = True
            else:
                self._apply(contents)

    def find(self, path: str) -> Spot:
        """What is at a path, never outside the image."""
        way = _Way(self._root)
        node = way.follow(parts_of(path))
        match node:
            case None:
                state = State.ABSENT if way.knows_all else State.UNKNOWN
                return Spot(
                    state=state, real=way.real, linked=way.hops > 0, knows_all=way.knows_all
                )
            case _Folder():
                gone = frozenset(name for name, each in node.children.items() if each is _GONE)
                return Spot(
                    state=State.FOLDER,
                    real=way.real,
                    linked=way.hops > 0,
                    names=frozenset(node.children.keys() - gone),
                    gone=gone,
                    knows_all=node.knows_all,
                    why="is a folder",
                )
        return self._leaf(node, way)

    def _leaf(self, leaf: _Leaf, way: _Way) -> Spot:
        linked = way.hops > 0
        if leaf.lost:
            state = State.ODD if leaf.known else State.UNKNOWN
            why = "is a hard link to no file"
            return Spot(state=state, real=leaf.text, linked=True, why=why)
        if leaf.kind is Kind.SYMLINK:
            return Spot(state=State.ODD, real=way.real, linked=linked, why="has too many links")
        if leaf.kind is Kind.FILE:
            return Spot(state=State.FILE, real=way.real, linked=linked, data=leaf.data)
        return Spot(state=State.ODD, real=way.real, linked=linked, why=f"is a {leaf.kind.value}")

    def _apply(self, contents: Contents) -> None:
        for path in sorted(contents.emptied):
            folder = self._folder(parts_of(path))
            if folder is not None:
                folder.children.clear()
                folder.knows_all = True
        for path in sorted(contents.hidden):
            *parents, name = parts_of(path)
            folder = self._folder(parents)
            if folder is not None:
                folder.children[name] = _GONE
        for entry in contents.entries:
            *parents, name = parts_of(entry.path)
            folder = self._folder(parents)
            if folder is not None:
                self._place(folder, name, entry)

    def _place(self, folder: _Folder, name: str, entry: Entry) -> None:
        present = folder.children.get(name)
        if entry.kind is Kind.FOLDER:
            if not isinstance(present, _Folder):
                folder.children[name] = _Folder(_knows_all(present, folder))
        elif entry.kind is Kind.HARD_LINK:
            folder.children[name] = self._linked(entry.target)
        else:
            folder.children[name] = _Leaf(entry.kind, entry.target, entry.data)

    def _linked(self, target: str) -> _Leaf:
        """What a hard link gives a further name to; its last part is not followed."""
        *parents, name = parts_of(target) or [""]
        way = _Way(self._root)
        folder = way.follow(parents)
        if isinstance(folder, _Folder):
            found = folder.children.get(name)
            if isinstance(found, _Leaf) and found is not _GONE and _is_whole(found):
                return found
            known = folder.knows_all or found is not None
            real = f"{way.real}/{name}" if way.real else name
            return _Leaf(Kind.HARD_LINK, real, lost=True, known=known)
        real = f"{way.real}/{name}"
        return _Leaf(Kind.HARD_LINK, real, lost=True, known=folder is not None or way.knows_all)

    def _folder(self, parts: list[str]) -> _Folder | None:
        """The folder of this path; a member or a mark in it makes it one, whatever it was.

        None where its links go in a circle.
        """
        node = _Way(self._root).follow(parts, make=True)
        return node if isinstance(node, _Folder) else None


class _Way:
    """One path being followed.

    Attributes:
        hops: symbolic links so far.
        knows_all: once nothing was found: whether there is nothing.
    """

    def __init__(self, root: _Folder) -> None:
        self._folders = [root]
        self._names: list[str] = []
        self.hops = 0
        self.knows_all = False

    @property
    def real(self) -> str:
        """The path so far without links; once nothing was found, with the rest of the way."""
        return "/".join(self._names)

    def follow(self, parts: list[str], *, make: bool = False) -> _Node | None:
        """What is at the end of the way; a symbolic link only after `HOPS` of them.

        With `make`, what is on the way and neither a folder nor a link becomes a folder.
        """
        rest = deque(parts)
        while rest:
            part = rest.popleft()
            if part in {"", "."}:
                continue
            if part == "..":
                del self._names[-1:], self._folders[1 + len(self._names) :]
                continue
            folder = self._folders[-1]
            node = folder.children.get(part)
            if make and not (
                isinstance(node, _Folder) or (node is not None and node.kind is Kind.SYMLINK)
            ):
                node = folder.children[part] = _Folder(_knows_all(node, folder))
            if node is None or node is _GONE:
                self.knows_all = node is _GONE or folder.knows_all
                self._finish(part, rest)
                return None
            if isinstance(node, _Folder):
                self._folders.append(node)
                self._names.append(part)
            elif node.kind is Kind.SYMLINK and self.hops < HOPS:
                self.hops += 1
                rest.extendleft(reversed(node.text.split("/")))
                if node.text.startswith("/"):
                    del self._folders[1:], self._names[:]
            elif rest:
                self.knows_all = True
                self._finish(part, rest)
                return node if node.kind is Kind.SYMLINK else None
            else:
                self._names.append(part)
                return node
        return self._folders[-1]

    def _finish(self, part: str, rest: deque[str]) -> None:
        """Take the rest of the way as it is written."""
        for each in (part, *rest):
            if each == "..":
                del self._names[-1:]
            elif each not in {"", "."}:
                self._names.append(each)


def _knows_all(present: _Node | None, parent: _Folder) -> bool:
    """Whether a folder that takes this place knows all that is in it."""
    return present is not None or parent.knows_all


def _is_whole(leaf: _Leaf) -> bool:
    return leaf.kind is not Kind.FILE or leaf.data is not None
