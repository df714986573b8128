"""Which members of a layer matter: databases and changelogs, and what stands on the way to them.

Paths are normalised: no leading slash, no `.`, `..` or empty parts; `""` is the root. Bytes that
are not UTF-8 stand in them as surrogates, so that nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pinner.inventory import databases
from pinner.inventory.changelog import wants_changelog

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATABASE_FOLDERS: Final = (
    "var/lib/dpkg",
    "var/lib/dpkg/status.d",
    "lib/apk/db",
    "usr/lib/apk/db",
    "var/lib/rpm",
    "usr/lib/sysimage/rpm",
)
"""Every folder in which a format of `databases.FORMATS` wants a file."""
DOCUMENTATION: Final = "usr/share/doc"
"""The folder of folders with changelogs."""
WHITEOUT: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"

_UNUSUAL: Final = (b"/.", b"//")


def normalised(name: bytes) -> str:
    """The path that a member's name means, never above the root."""
    if name.startswith(b"./"):
        name = name[2:]
    if name.startswith((b"/", b".")) or any(each in name for each in _UNUSUAL):
        parts: list[bytes] = []
        for part in name.split(b"/"):
            if part == b"..":
                del parts[-1:]
            elif part not in {b"", b"."}:
                parts.append(part)
        name = b"/".join(parts)
    return name.rstrip(b"/").decode("utf-8", "surrogateescape")


def parts_of(path: str) -> list[str]:
    """The parts of a normalised path; none of the root's."""
    return path.split("/") if path else []


def above(path: str) -> Iterator[str]:
    """Every folder that holds the path, from the root down."""
    parts = parts_of(path)
    for count in range(len(parts)):
        yield "/".join(parts[:count])


@dataclass(frozen=True)
class Wanted:
    """What to take from layers.

    Attributes:
        changelogs: whether changelogs are among it.
        files: further files, found to be what links of the image lead to.
        folders: further folders that are so, each with the database folder whose files are
            looked for in it.
    """

    changelogs: bool
    files: frozenset[str] = frozenset()
    folders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def _stations(self) -> frozenset[str]:
        """Folders on the way to what is wanted, and these folders themselves."""
        ends = {*DATABASE_FOLDERS, *self.folders}
        if self.changelogs:
            ends.add(DOCUMENTATION)
        ways = {folder for path in {*ends, *self.files} for folder in above(path)}
        return frozenset(ends | ways)

    @cached_property
    def _bare(self) -> frozenset[bytes]:
        """The stations and the files as they stand in most archives."""
        return frozenset(
            path.encode("utf-8", "surrogateescape") for path in self._stations | self.files
        )

    def may_matter(self, name: bytes) -> bool:
        """A quick look at a member's name, for the millions that do not matter."""
        if name[:2] == b"./":
            name = name[2:]
        if b"/." in name or b"//" in name or name[:1] in {b"/", b".", b""}:
            return self.matters(normalised(name))
        folder, _, last = name.rpartition(b"/")
        if not last:
            name = folder
            folder = folder.rpartition(b"/")[0]
        return (
            folder in self._bare and (name in self._bare or self.matters(normalised(name)))
        ) or (self.changelogs and name[:14] == b"usr/share/doc/" and self.matters(normalised(name)))

    def matters(self, path: str) -> bool:
        """Whether a member of this path, a whiteout or another, changes what is found."""
        folder, _, last = path.rpartition("/")
        if last.startswith(WHITEOUT):
            if last == OPAQUE:
                return self.is_station(folder)
            path = f"{folder}/{last[4:]}" if folder else last[4:]
        return self.is_station(path) or self.takes(path)

    def is_station(self, path: str) -> bool:
        """Whether what is wanted lies in a folder of this path, or further down."""
        return path in self._stations or (
            self.changelogs and path.rpartition("/")[0] == DOCUMENTATION
        )

    def takes(self, path: str) -> bool:
        """Whether the file at this path is wanted."""
        if path in self.files or databases.wants(path):
            return True
        folder, _, last = path.rpartition("/")
        alias = self.folders.get(folder)
        if alias is not None and databases.wants(f"{alias}/{last}"):
            return True
        return self.changelogs and wants_changelog(path)

    def covers(self, path: str) -> bool:
        """Whether what is at this path was taken, had it been there: a file or a folder's files."""
        return self.is_station(path) or self.takes(path)
