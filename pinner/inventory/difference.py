"""What became of packages between two images, by their distribution's own order of versions.

Packages are matched by name and architecture. Several versions of one package can be installed at
once (kernels): what both images have is left out, and of the rest the newest are matched first.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from pinner.inventory.databases import FORMATS
from pinner.inventory.formats import Fixes, Upgrade
from pinner.inventory.model import (
    Changelog,
    Direction,
    Ecosystem,
    PackageChange,
    PackageChanges,
)
from pinner.inventory.versions import key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pinner.inventory.formats import Database, Files
    from pinner.inventory.model import Fix, Package
    from pinner.inventory.versions import Key

_Name: TypeAlias = tuple[str, str, str]
_Pair: TypeAlias = "tuple[Package | None, Package | None]"

_KEYS: Final = (Ecosystem.RPM, "gpg-pubkey")
"""Not packages but keys to sign packages with; their versions are fingerprints without an order."""


def difference(before: Database, after: Database, files: Files) -> PackageChanges:
    """All packages that differ, with the fixes that changelogs of the newer image name.

    Args:
        before: of the older image.
        after: of the newer image.
        files: of the newer image: its databases, and what `changelog.wants_changelog` takes.
    """
    pairs = list(_pairs(before.packages, after.packages))
    upgrades = [
        Upgrade(old, new)
        for old, new in pairs
        if old and new and _direction(old, new) is Direction.UPGRADED
    ]
    fixes = _fixes(upgrades, after.packages, files)
    changes = [_change(old, new, fixes.found) for old, new in pairs]
    changes.sort(
        key=lambda change: (
            change.ecosystem.value,
            change.name,
            change.architecture,
            key(change.ecosystem, change.after or change.before or ""),
        )
    )
    return PackageChanges(
        changes=tuple(changes), notes=(*_notes(before.notes, after.notes), *fixes.notes)
    )


def _pairs(before: Iterable[Package], after: Iterable[Package]) -> Iterator[_Pair]:
    """What differs: (old, new), with None for a package that is not in one of the images."""
    old, new = _by_name(before), _by_name(after)
    single: dict[tuple[str, str], list[_Pair]] = defaultdict(list)
    for name in sorted(old.keys() | new.keys()):
        for pair in _matched(old.get(name, []), new.get(name, [])):
            if None in pair:
                single[name[:2]].append(pair)
            else:
                yield pair
    for pairs in single.values():
        yield from _moved(pairs)


def _by_name(packages: Iterable[Package]) -> dict[_Name, list[Package]]:
    """Packages by ecosystem, name and architecture, the newest first, each version once."""
    named: dict[_Name, dict[Key, Package]] = defaultdict(dict)
    for package in packages:
        name = (package.ecosystem.value, package.name, package.architecture)
        named[name].setdefault(_version(package), package)
    return {
        name: [versions[each] for each in sorted(versions, reverse=True)]
        for name, versions in named.items()
    }


def _matched(old: Sequence[Package], new: Sequence[Package]) -> Iterator[_Pair]:
    """Versions of one name in two images, without those that both have; the newest first."""
    kept = {_version(package) for package in old} & {_version(package) for package in new}
    gone = [package for package in old if _version(package) not in kept]
    come = [package for package in new if _version(package) not in kept]
    matched = 0 if any(_is_key(package) for package in gone) else min(len(gone), len(come))
    yield from zip(gone[:matched], come[:matched], strict=True)
    yield from ((package, None) for package in gone[matched:])
    yield from ((None, package) for package in come[matched:])


def _moved(pairs: Sequence[_Pair]) -> Iterator[_Pair]:
    """One package that left one architecture and came to another is one change: amd64 to all.

    An SPDX document may lack the architecture that a database has: then an equal version is none.
    """
    olds = [old for old, _ in pairs if old]
    news = [new for _, new in pairs if new]
    if len(olds) != 1 or len(news) != 1 or _is_key(olds[0]):
        yield from pairs
    elif _version(olds[0]) != _version(news[0]):
        yield olds[0], news[0]
    elif olds[0].architecture and news[0].architecture:
        yield from pairs


def _version(package: Package) -> Key:
    return key(package.ecosystem, package.version)


def _is_key(package: Package) -> bool:
    return (package.ecosystem, package.name) == _KEYS


def _direction(old: Package | None, new: Package | None) -> Direction:
    if old is None or new is None:
        return Direction.REMOVED if old else Direction.ADDED
    return Direction.UPGRADED if _version(old) < _version(new) else Direction.DOWNGRADED


def _change(
    old: Package | None, new: Package | None, found: Mapping[Package, tuple[Fix, ...]]
) -> PackageChange:
    direction, package = _direction(old, new), new or old
    assert package is not None  # noqa: S101 - a pair has at least one
    changelog = Changelog.UNUSED
    if direction is Direction.UPGRADED:
        changelog = Changelog.READ if package in found else Changelog.ABSENT
    return PackageChange(
        ecosystem=package.ecosystem,
        name=package.name,
        architecture=package.architecture,
        before=old.version if old else None,
        after=new.version if new else None,
        direction=direction,
        fixes=found.get(package, ()) if direction is Direction.UPGRADED else (),
        changelog=changelog,
    )


def _fixes(upgrades: Sequence[Upgrade], installed: Sequence[Package], files: Files) -> Fixes:
    found: dict[Package, tuple[Fix, ...]] = {}
    notes: list[str] = []
    for each in FORMATS:
        of_format = [one for one in upgrades if one.after.ecosystem is each.ECOSYSTEM]
        if of_format:
            fixes = each.fixes(of_format, installed, files)
            found |= fixes.found
            notes += fixes.notes
    return Fixes(found=found, notes=tuple(notes))


def _notes(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Notes of both images, each once; where one image alone has a note, it says which."""
    for note in before:
        yield note if note in after else f"the older image: {note}"
    yield from (f"the newer image: {note}" for note in after if note not in before)
