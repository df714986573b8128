"""What became of the packages of an image, from the layers of both.

    layers that differ -> contents -> overlay of each image -> database files -> packages -> changes

Layers that both images begin with are read only where the others do not say enough: where a
database stands in one image's own layers and the other has it from below, where a whiteout takes
one away, where a link leads elsewhere. Then they are read from the top until it is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from pinner.inventory import databases
from pinner.inventory.changelog import wants_changelog
from pinner.inventory.difference import difference
from pinner.inventory.layer import Budget, read_layer
from pinner.inventory.model import PackageChanges
from pinner.inventory.overlay import Overlay, State
from pinner.inventory.unreadable import Unreadable
from pinner.inventory.wanted import DATABASE_FOLDERS, DOCUMENTATION, Wanted
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pinner.inventory.contents import Contents, Layer
    from pinner.inventory.overlay import Spot
    from pinner.oci.digest import Digest

ROUNDS: Final = 3
"""How often layers are read for files that links lead to, beyond the first time."""
_WISHES: Final = 100  # of one round
_CHANGELOGS: Final = 50_000
_NOTES: Final = 50


def compare_layers(before: Sequence[Layer], after: Sequence[Layer]) -> PackageChanges:
    """The packages that differ between two images, each given by its layers, the lowest first.

    Never raises for what is in the layers: what cannot be read is a note, and packages that it
    could have been about are left out of the changes.
    """
    shared = _shared(before, after)
    if shared == len(before) == len(after):
        return PackageChanges()
    files: frozenset[str] = frozenset()
    folders: dict[str, str] = {}
    for _ in range(ROUNDS + 1):
        reading = _Reading(before=before, after=after, shared=shared, files=files, folders=folders)
        found = reading.run()
        if not found.files and not found.folders:
            break
        files |= found.files
        folders |= found.folders
    return reading.changes()


def _shared(before: Sequence[Layer], after: Sequence[Layer]) -> int:
    """How many layers both begin with."""
    count = 0
    for old, new in zip(before, after, strict=False):
        if old.descriptor.digest != new.descriptor.digest:
            break
        count += 1
    return count


@dataclass(slots=True)
class _Wishes:
    """What links lead to and was not taken when the layers were read."""

    files: set[str] = field(default_factory=set)
    folders: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One reading of both images' layers."""

    before: Sequence[Layer]
    after: Sequence[Layer]
    shared: int
    files: frozenset[str]
    folders: dict[str, str]
    _wishes: _Wishes = field(default_factory=_Wishes)
    _contents: dict[Digest, Contents | None] = field(default_factory=dict)
    _budget: Budget = field(default_factory=Budget)
    _layer_notes: list[str] = field(default_factory=list)
    _found: tuple[dict[str, bytes], dict[str, bytes]] = field(default_factory=lambda: ({}, {}))
    _path_notes: set[str] = field(default_factory=set)
    _changelogs: dict[str, bytes] = field(default_factory=dict)

    def run(self) -> _Wishes:
        """Read what is needed; what links lead to and was not taken, to be read again with."""
        own = self.after[self.shared :]
        newer = {layer.descriptor.digest for layer in own}
        plain = Wanted(changelogs=False, files=self.files, folders=self.folders)
        full = Wanted(changelogs=True, files=self.files, folders=self.folders)
        lowest = self.shared
        while True:
            for layer in (*self.after[lowest:], *self.before[lowest:]):
                digest = layer.descriptor.digest
                if digest not in self._contents:
                    self._contents[digest] = self._read(layer, full if digest in newer else plain)
            images = self._overlay(self.before, lowest), self._overlay(self.after, lowest)
            if self._look(images, plain) or not lowest:
                break
            lowest -= 1
        self._changelogs = _changelogs(images[1])
        return self._wishes

    def changes(self) -> PackageChanges:
        """What the files that were found say."""
        old, new = (databases.packages(files) for files in self._found)
        changes = difference(old, new, self._found[1] | self._changelogs)
        if self._wishes.files or self._wishes.folders:
            self._path_notes.add("packages not read: links to databases lead on and on")
        notes = [*self._layer_notes, *sorted(self._path_notes), *changes.notes]
        return PackageChanges(changes=changes.changes, notes=_few(dict.fromkeys(notes)))

    def _read(self, layer: Layer, wanted: Wanted) -> Contents | None:
        short = layer.descriptor.digest.short
        try:
            contents = read_layer(layer, wanted, self._budget)
        except Unreadable as error:
            self._layer_notes.append(f"packages not read: {short}, {error}")
            return None
        self._layer_notes += [f"layer {short}: {note}" for note in contents.notes]
        return contents

    def _overlay(self, layers: Sequence[Layer], lowest: int) -> Overlay:
        contents = [self._contents[layer.descriptor.digest] for layer in layers[lowest:]]
        return Overlay(contents, is_whole=not lowest)

    def _look(self, images: tuple[Overlay, Overlay], wanted: Wanted) -> bool:
        """Look for every database in both images; whether no deeper layer is needed.

        A file that only one image's own layers have is needed from the other as well. One that
        cannot be told for one image is left out of both.
        """
        self._wishes = _Wishes()
        self._path_notes.clear()
        found: tuple[dict[str, Spot], dict[str, Spot]] = ({}, {})
        is_known = True
        for folder in DATABASE_FOLDERS:
            spots = [image.find(folder) for image in images]
            for spot in spots:
                if spot.linked and not wanted.covers(spot.real):
                    self._wishes.folders[spot.real] = folder
            blind = images[0].is_blind or images[1].is_blind
            if spots[0].knows_all != spots[1].knows_all and not blind:
                is_known = False
            names = frozenset[str]().union(*(spot.names | spot.gone for spot in spots))
            for name in sorted(names):
                path = f"{folder}/{name}"
                if not databases.wants(path):
                    continue
                pair = [image.find(path) for image in images]
                told = True
                for image, spot, place in zip(images, pair, spots, strict=True):
                    is_known &= spot.state is not State.UNKNOWN or image.is_blind
                    told &= self._mind(path, spot, wanted, is_there=name in place.names)
                if told:
                    found[0][path], found[1][path] = pair
        self._found = _each_once(found[0]), _each_once(found[1])
        return is_known

    def _mind(self, path: str, spot: Spot, wanted: Wanted, *, is_there: bool) -> bool:
        """Whether it is told what is at a path; if not, wish for it or note why."""
        if not is_there:
            return spot.state is State.ABSENT
        if spot.linked and spot.data is None and not wanted.takes(spot.real):
            if len(self._wishes.files) < _WISHES:
                self._wishes.files.add(spot.real)
            return False
        why = "is a link to no file" if spot.state is State.ABSENT else spot.why
        if why:
            self._path_notes.add(f"packages not read: {safe(path, limit=200)} {why}")
        return spot.data is not None


def _few(notes: Iterable[str]) -> tuple[str, ...]:
    """The first of the notes, and how many there are besides."""
    found = tuple(notes)
    more = len(found) - _NOTES
    return (*found[:_NOTES], f"{more} further notes are left out") if more > 0 else found


def _each_once(found: dict[str, Spot]) -> dict[str, bytes]:
    """Every file under one of its names, its own where that is among them."""
    names = {spot.real: path for path, spot in found.items() if path != spot.real}
    names |= {spot.real: path for path, spot in found.items() if path == spot.real}
    return {
        path: spot.data
        for path, spot in found.items()
        if spot.data is not None and names[spot.real] == path
    }


def _changelogs(image: Overlay) -> dict[str, bytes]:
    """Every changelog that is known of, by each of its paths."""
    found: dict[str, bytes] = {}
    for path in islice(_changelog_paths(image), _CHANGELOGS):
        data = image.find(path).data
        if data is not None:
            found[path] = data
    return found


def _changelog_paths(image: Overlay) -> Iterator[str]:
    for package in sorted(image.find(DOCUMENTATION).names):
        folder = f"{DOCUMENTATION}/{package}"
        for name in sorted(image.find(folder).names):
            if wants_changelog(f"{folder}/{name}"):
                yield f"{folder}/{name}"
