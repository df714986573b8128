"""What the project's files say, what they should say, and how they would be written.

Every file is read once, and its text a second time only where it changes. A file that cannot be
read is a problem of its own; the others go on.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.files.aims import Noting, Pinning, Unpinning, passed_over
from pinner.files.included import included
from pinner.files.listing import list_files
from pinner.files.model import PlannedFile, Tree
from pinner.files.reading import TreeReader
from pinner.rewrite.kinds import kind_of, may_be_of_a_kind
from pinner.rewrite.matching import Matcher
from pinner.rewrite.model import Occurrence, Skipped
from pinner.rewrite.plan import plan_file
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pinner.files.aims import Aim
    from pinner.files.listing import Listing
    from pinner.files.model import Place
    from pinner.files.reading import Opened
    from pinner.lockfile import Lock
    from pinner.oci.platform import Platform
    from pinner.rewrite.kinds import Kind
    from pinner.rewrite.model import Found
    from pinner.rewrite.plan import FilePlan
    from pinner.spec import Spec

_MEND: Final = "it goes by names, such as Dockerfile, and by the first lines of YAML files"


def plan_tree(
    folder: Path,
    spec: Spec,
    lock: Lock,
    *,
    previous: Callable[[], Lock | None],
    paths: Sequence[Path] = (),
    platform: Platform | None = None,
    seen_from: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Tree:
    """Plan that every place below `paths` says what the lock says.

    Args:
        folder: the project's.
        spec: says which entry a place means.
        lock: says the digests.
        previous: the lock that the files may still be pinned by; called only where it matters.
        paths: files and folders, absolute; none for the project's folder.
        platform: whose manifests to say; None: what tags name, or as a place is pinned.
        seen_from: the folder that messages name files from; the project's where not given.
        environ: for git; None: this process's.

    Raises:
        InputError: a path is not there, is outside of the project, or cannot be read.
        StoreError: git cannot list the files.
    """
    listing = list_files(folder, paths, environ=environ)
    matcher = Matcher(spec, lock, previous=previous, platform=platform)
    return _plan(listing, Pinning(matcher), seen_from or folder)


def plan_unpinning(
    folder: Path,
    spec: Spec,
    *,
    paths: Sequence[Path] = (),
    seen_from: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Tree:
    """Plan that no place of an image of images.toml has a digest; arguments as `plan_tree`."""
    listing = list_files(folder, paths, environ=environ)
    repositories = frozenset(entry.repository for entry in spec.entries)
    return _plan(listing, Unpinning(repositories), seen_from or folder)


def note_tree(
    folder: Path,
    *,
    paths: Sequence[Path] = (),
    seen_from: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Tree:
    """Every place as it is, whatever images.toml says; arguments as `plan_tree`."""
    return _plan(list_files(folder, paths, environ=environ), Noting(), seen_from or folder)


def _plan(listing: Listing, aim: Aim, seen_from: Path) -> Tree:
    sources = _Sources(TreeReader(listing.root), f"{str(seen_from.resolve()).rstrip('/')}/")
    problems: list[InputError] = list(listing.problems)
    files: list[PlannedFile] = []
    for source in _to_look_at(listing, sources, problems):
        files += _planned(source, aim)
    files.sort(key=lambda file: file.shown)
    return Tree(files=tuple(files), problems=tuple(problems), looked_at=len(sources.seen))


def _to_look_at(
    listing: Listing, sources: _Sources, problems: list[InputError]
) -> Iterator[_Source]:
    """The files that are of some kind, then those that these include; what cannot be read is noted.

    Raises:
        InputError: a file that the user named cannot be read.
    """
    including: deque[_Source] = deque()

    def noted(source: _Source | None) -> Iterator[_Source]:
        if source is not None:
            if source.kind.includes is not None:
                including.append(source)
            yield source

    for path in listing.named:
        yield from noted(sources.named(path))
    for path in listing.found:
        try:
            yield from noted(sources.found(path))
        except InputError as error:
            problems.append(error)
    while including:
        source = including.popleft()
        patterns = source.kind.includes(source.data) if source.kind.includes else ()
        for path in included(patterns, listing.found, root=listing.root):
            try:
                yield from noted(sources.included(path, source.kind))
            except InputError as error:
                problems.append(error)


@dataclass(frozen=True, slots=True)
class _Source:
    path: str
    shown: str
    kind: Kind
    data: bytes


class _Sources:
    """Opens files that are of some kind, each once, whatever names it has."""

    def __init__(self, reader: TreeReader, base: str) -> None:
        self.seen: set[str] = set()
        self._reader = reader
        self._base = base

    def named(self, path: str) -> _Source | None:
        """A file that the user named; None where it was opened before."""
        shown = self._shown(path)
        opened = self._reader.read(path, shown, self._judge(path))
        if opened is None:
            raise InputError("is of no kind of file that pinner reads", where=shown, mend=_MEND)
        return self._once(opened)

    def found(self, path: str) -> _Source | None:
        """A file of a listing; None where it is of no kind, gone, or was opened before."""
        if not may_be_of_a_kind(path.rpartition("/")[2]):
            return None
        opened = self._reader.read(path, self._shown(path), self._judge(path))
        return None if opened is None else self._once(opened)

    def included(self, path: str, kind: Kind) -> _Source | None:
        """A file that one of this kind includes; None where it is gone or was opened before."""
        opened = self._reader.read(path, self._shown(path), lambda _: kind)
        return None if opened is None else self._once(opened)

    def _judge(self, path: str) -> Callable[[bytes], Kind | None]:
        inside = PurePosixPath(path.removeprefix(self._reader.root).lstrip("/"))
        return lambda head: kind_of(inside, head)

    def _once(self, opened: Opened[Kind]) -> _Source | None:
        if opened.path in self.seen:
            return None
        self.seen.add(opened.path)
        return _Source(opened.path, self._shown(opened.path), opened.kind, opened.data)

    def _shown(self, path: str) -> str:
        inside = path.startswith(self._base)
        return safe(path[len(self._base) :] if inside else os.path.relpath(path, self._base))


def _planned(source: _Source, aim: Aim) -> Iterator[PlannedFile]:
    """The plan of a file; nothing where it names no image."""
    found = source.kind.read(source.data)
    if not found:
        return
    plan = None
    if any(isinstance(one, Occurrence) and not aim.is_settled(one) for one in found):
        plan = plan_file(source.data, source.kind.read, aim.edits, found=found)
    yield PlannedFile(
        path=Path(source.path),
        shown=source.shown,
        kind=source.kind.name,
        before=source.data,
        after=source.data if plan is None else plan.after,
        places=tuple(_places(found, plan, aim, source.shown)),
    )


def _places(found: Sequence[Found], plan: FilePlan | None, aim: Aim, file: str) -> Iterator[Place]:
    after = {id(one.occurrence): one.after for one in plan.changed} if plan else {}
    # What wants a change and does not get it is impossible; both are in the order of the file.
    cannot = iter(plan.impossible if plan else ())
    for one in found:
        if isinstance(one, Skipped):
            yield passed_over(one, file)
        elif aim.is_settled(one):
            yield aim.judged(one, file, after="", cannot="")
        elif id(one) in after:
            yield aim.judged(one, file, after=after[id(one)], cannot="")
        else:
            yield aim.judged(one, file, after="", cannot=next(cannot).why)
