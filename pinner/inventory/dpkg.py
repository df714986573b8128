"""dpkg's databases: `status`, and of distroless images one file a package in `status.d`.

deb822(5) is the syntax, deb-control(5) and Debian policy 5.6 the fields. `status` lists packages
that are not installed too, by the third word of `Status`; the files of `status.d` are control files
of installed packages and have no `Status`. The whole database is spread over these files, so that
`packages` needs all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.inventory import debianchangelog, stanzas
from pinner.inventory.formats import Database, Fixes, is_word
from pinner.inventory.model import Ecosystem, Package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.inventory.formats import Files, Upgrade

ECOSYSTEM: Final = Ecosystem.DEB

_STATUS: Final = "var/lib/dpkg/status"
_SPREAD: Final = re.compile(r"var/lib/dpkg/status\.d/(?![^/]*\.md5sums\Z)[^/]+")
_FIELDS: Final = stanzas.fields(
    *("Package", "Status", "Version", "Architecture", "Source"), flags=re.IGNORECASE
)
_INSTALLED: Final = frozenset(
    {"installed", "triggers-pending", "triggers-awaited", "half-configured", "unpacked"}
)
_STATUS_WORDS: Final = 3
_SOURCE: Final = re.compile(r"(\S+)(?:\s+\(\s*(\S+)\s*\))?")


def wants(path: str) -> bool:
    """`status` and the files of `status.d`, other than its lists of checksums."""
    return path == _STATUS or _SPREAD.fullmatch(path) is not None


def packages(files: Files) -> Database:
    """The packages whose files are on the disk: all of `status.d`, the installed ones of `status`.

    Stanzas that cannot be read are counted in a note. Where one name and architecture is there
    twice, the last one counts, as for dpkg.
    """
    return stanzas.read(files, sorted(filter(wants, files)), _FIELDS, _package)


def fixes(upgrades: Sequence[Upgrade], installed: Sequence[Package], files: Files) -> Fixes:
    """As `changelog.Debian.gz` of each package, or of a package of the same source, has them."""
    return debianchangelog.fixes(upgrades, installed, files)


def _package(path: str, stanza: stanzas.Stanza) -> Package | None:
    if path == _STATUS and not _is_installed(stanza):
        return None
    name, version = stanza.get("package", ""), stanza.get("version", "")
    if not (is_word(name) and is_word(version)):
        raise stanzas.BadStanza
    architecture = stanza.get("architecture", "")
    if architecture and not is_word(architecture):
        raise stanzas.BadStanza
    source, source_version = _source(stanza.get("source", ""))
    return Package(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        architecture=architecture,
        source=source or name,
        source_version=source_version or version,
    )


def _is_installed(stanza: stanzas.Stanza) -> bool:
    words = stanza.get("status", "").split()
    if len(words) != _STATUS_WORDS:
        raise stanzas.BadStanza
    return words[-1] in _INSTALLED


def _source(field: str) -> tuple[str, str]:
    """Name and version of `glibc (2.36-9)`; empty where it says nothing, or nothing usable."""
    match = _SOURCE.fullmatch(field)
    name, version = match.groups(default="") if match else ("", "")
    return name if is_word(name) else "", version if is_word(version) else ""
