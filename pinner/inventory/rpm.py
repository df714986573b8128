"""rpm's database, as an SQLite file: of Fedora 33, RHEL 9 and their like, and newer.

`Packages` and `Packages.db` are the Berkeley and the ndb databases of older releases and of SUSE;
for them there is a note. A header carries the package's changelog too: its entries' first lines end
with the version that they are of in the distributions that follow Fedora's guidelines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.inventory.changelog import UPGRADES_LIMIT, between, entries
from pinner.inventory.formats import FILE_LIMIT, Database, Fixes, is_word
from pinner.inventory.model import Ecosystem, Package
from pinner.inventory.rpmheader import BadHeader, Header, source_of
from pinner.inventory.rpmsqlite import Unreadable, headers
from pinner.inventory.versions import redhat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.inventory.changelog import Entry
    from pinner.inventory.formats import Files, Upgrade
    from pinner.inventory.model import Fix

ECOSYSTEM: Final = Ecosystem.RPM

_FOLDERS: Final = ("usr/lib/sysimage/rpm", "var/lib/rpm")
_SQLITE: Final = "rpmdb.sqlite"
_LOG: Final = "rpmdb.sqlite-wal"
_OLDER: Final = {"Packages": "Berkeley DB", "Packages.db": "ndb"}
_PATHS: Final = frozenset(
    f"{folder}/{name}" for folder in _FOLDERS for name in (_SQLITE, _LOG, *_OLDER)
)
_ENTRY_LIMIT: Final = 500
_ENTRY_VERSION: Final = re.compile(r"[>\s][\s-]*(?:[0-9]+:)?([^\s<>@:-][^\s<>@:]*)\s*\Z")


def wants(path: str) -> bool:
    """The database and its log, at its old and its new place; databases that a note is about."""
    return path in _PATHS


def packages(files: Files) -> Database:
    """The installed packages; what cannot be read is a note."""
    found: dict[Package, None] = {}
    notes: list[str] = []
    for folder in _FOLDERS:
        path = f"{folder}/{_SQLITE}"
        bad = 0
        try:
            for header in _headers(files, path):
                package = _package(header)
                if package is None:
                    bad += 1
                else:
                    found[package] = None
        except Unreadable as error:
            notes.append(f"{path} is not read: {error}")
        if bad:
            notes.append(f"entries of {path} that cannot be read: {bad}")
        notes += _unread(files, folder)
    return Database(packages=tuple(found), notes=tuple(notes))


def fixes(
    upgrades: Sequence[Upgrade],
    installed: Sequence[Package],  # noqa: ARG001 - of the protocol
    files: Files,
) -> Fixes:
    """As the header of each newer package names them, where its entries say their versions."""
    wanted = {upgrade.after: upgrade for upgrade in upgrades[:UPGRADES_LIMIT]}
    found: dict[Package, tuple[Fix, ...]] = {}
    for folder in _FOLDERS:
        try:
            for header in _headers(files, f"{folder}/{_SQLITE}"):
                package = _package(header)
                if package in wanted and (changelog := _changelog(header)):
                    found[package] = between(changelog, wanted[package])
        except Unreadable:
            continue  # `packages` has said why
    return Fixes(found=found)


def _headers(files: Files, path: str) -> Iterator[bytes]:
    data = files.get(path)
    if data is None:
        return iter(())
    if len(data) > FILE_LIMIT:
        raise Unreadable("it is too large")
    return headers(data)


def _unread(files: Files, folder: str) -> Iterator[str]:
    """Notes of files whose contents are not in the result."""
    if files.get(f"{folder}/{_LOG}"):
        yield f"what stands only in {folder}/{_LOG} is not read"
    if f"{folder}/{_SQLITE}" not in files:
        for name, kind in _OLDER.items():
            if f"{folder}/{name}" in files:
                yield f"{folder}/{name} is not read: of rpm's databases only SQLite is, not {kind}"


def _package(blob: bytes) -> Package | None:
    try:
        header = Header(blob)
        name, version = header.name, header.version
        architecture = header.architecture
        source, source_version = source_of(header.source)
    except BadHeader:
        return None
    if not (is_word(name) and is_word(version) and (is_word(architecture) or not architecture)):
        return None
    return Package(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        architecture=architecture,
        source=source if is_word(source) else name,
        source_version=source_version if is_word(source_version) else version,
    )


def _changelog(blob: bytes) -> list[Entry]:
    """The entries that say their version. Sources have no epoch, so none is looked at."""
    try:
        changelog = Header(blob).changelog
    except BadHeader:
        return []
    return entries(
        (redhat.key(version[1]), "", text)
        for name, text in changelog
        if (version := _ENTRY_VERSION.search(name[:_ENTRY_LIMIT])) and _has_digit(version[1])
    )


def _has_digit(text: str) -> bool:
    return any(character in "0123456789" for character in text)
