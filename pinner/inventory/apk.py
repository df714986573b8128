"""apk's database of installed packages, `installed`: of Alpine, Wolfi and their like.

apk-v2(5) and apk-package(5) say what the letters mean: P the name, V the version, A the
architecture, o the origin, which is the source package. Lines about files follow in the same
paragraph. apk-tools 3 keeps the file in `usr/lib` where `/lib` has moved there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.inventory import stanzas
from pinner.inventory.formats import Database, Fixes, is_word
from pinner.inventory.model import Ecosystem, Package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.inventory.formats import Files, Upgrade

ECOSYSTEM: Final = Ecosystem.APK

_FIELDS: Final = stanzas.fields("P", "V", "A", "o")
_PATHS: Final = frozenset({"lib/apk/db/installed", "usr/lib/apk/db/installed"})


def wants(path: str) -> bool:
    """`installed`, at its old and at its new place."""
    return path in _PATHS


def packages(files: Files) -> Database:
    """The installed packages; paragraphs that cannot be read are counted in a note."""
    return stanzas.read(files, sorted(filter(wants, files)), _FIELDS, _package)


def fixes(
    upgrades: Sequence[Upgrade],  # noqa: ARG001 - of the protocol
    installed: Sequence[Package],  # noqa: ARG001 - of the protocol
    files: Files,  # noqa: ARG001 - of the protocol
) -> Fixes:
    """None: images carry no changelogs of apk packages, fixes stand only in their APKBUILDs."""
    return Fixes()


def _package(_path: str, stanza: stanzas.Stanza) -> Package:
    name, version = stanza.get("p", ""), stanza.get("v", "")
    architecture, origin = stanza.get("a", ""), stanza.get("o", "")
    if not (is_word(name) and is_word(version)):
        raise stanzas.BadStanza
    if architecture and not is_word(architecture):
        raise stanzas.BadStanza
    return Package(
        ecosystem=ECOSYSTEM,
        name=name,
        version=version,
        architecture=architecture,
        source=origin if is_word(origin) else name,
        source_version=version,
    )
