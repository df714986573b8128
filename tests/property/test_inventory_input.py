"""No bytes whatever make a reader of package databases raise, and notes can be printed."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Final

from hypothesis import example, given
from hypothesis import strategies as st

from pinner.inventory import databases, debianchangelog, spdx
from pinner.inventory.difference import difference
from pinner.inventory.rpmheader import BadHeader, Header
from pinner.inventory.rpmsqlite import headers
from support.tables import FIXTURES

if TYPE_CHECKING:
    from pinner.inventory.formats import Database

SQLITE: Final = gzip.decompress((FIXTURES / "inventory" / "newer.sqlite.gz").read_bytes())
HEADER: Final = list(headers(SQLITE))[1]
STATUS: Final = (
    b"Package: libc6\nStatus: install ok installed\nSource: glibc (2.36-9)\nVersion: 2.36-9+b1\n"
    b"Architecture: amd64\nDescription: C\n library\n\n"
) * 3
INSTALLED: Final = b"C:Q1x\nP:musl\nV:1.2.5-r0\nA:x86_64\no:musl\nF:lib\nR:x\n\n" * 3
CHANGELOG: Final = (
    b"glibc (2.36-9) bookworm; urgency=medium\n\n  * CVE-2025-8058\n\n -- A <a@x>  date\n"
) * 3
STATEMENT: Final = json.dumps(
    {
        "predicateType": "https://spdx.dev/Document",
        "predicate": {
            "packages": [
                {
                    "externalRefs": [
                        {"referenceType": "purl", "referenceLocator": "pkg:deb/debian/a@1?arch=x"}
                    ]
                }
            ]
        },
    }
).encode()
PATHS: Final = (
    *("var/lib/dpkg/status", "var/lib/dpkg/status.d/x", "lib/apk/db/installed"),
    *("var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite-wal", "var/lib/rpm/Packages"),
    *("usr/share/doc/libc6/changelog.Debian.gz", "usr/share/doc/libc6/changelog.gz"),
)

Edit = tuple[float, int, bytes]
edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 40),
        st.binary(max_size=8) | st.sampled_from([b"\n\n", b"\n ", b":", b"\xff" * 8, b"\x1b[2J"]),
    ),
    max_size=5,
)


def damaged(data: bytes, changes: list[Edit]) -> bytes:
    for place, removed, put in changes:
        at = int(place * len(data))
        data = data[:at] + put + data[at + removed :]
    return data


def assert_sound(database: Database) -> None:
    for package in database.packages:
        for word in (package.name, package.version, package.source, package.source_version):
            assert word
            assert word.isprintable()
            assert " " not in word
    assert all(note.isprintable() for note in database.notes)


@given(st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=200)))
def test_any_bytes(files: dict[str, bytes]) -> None:
    assert_sound(databases.packages(files))


@given(st.sampled_from([STATUS, INSTALLED]), edits)
def test_damaged_stanzas(data: bytes, changes: list[Edit]) -> None:
    text = damaged(data, changes)
    found = databases.packages(dict.fromkeys(PATHS[:3], text))
    assert_sound(found)
    difference(databases.packages({PATHS[0]: data}), found, {})


@given(edits)
@example([(0.0003, 4, b"\xff" * 4)])
def test_P03_damaged_databases(changes: list[Edit]) -> None:
    files = {"var/lib/rpm/rpmdb.sqlite": damaged(SQLITE, changes)}
    found = databases.packages(files)
    assert_sound(found)
    difference(databases.packages({"var/lib/rpm/rpmdb.sqlite": SQLITE}), found, files)


@given(edits)
def test_P03_damaged_headers(changes: list[Edit]) -> None:
    try:
        header = Header(damaged(HEADER, changes))
        assert isinstance(header.name + header.version + header.architecture + header.source, str)
        assert isinstance(header.changelog, list)
    except BadHeader:
        pass


@given(edits, st.booleans())
def test_damaged_changelogs(changes: list[Edit], packed: bool) -> None:  # noqa: FBT001
    if packed:
        text = debianchangelog.unpack(damaged(gzip.compress(CHANGELOG), changes))
    else:
        text = debianchangelog.unpack(damaged(CHANGELOG, changes))
    for entry in debianchangelog.parse(text, "glibc"):
        assert all(fix.cve.startswith("CVE-") for fix in entry.fixes)


@given(edits)
def test_damaged_attestations(changes: list[Edit]) -> None:
    assert_sound(spdx.packages(damaged(STATEMENT, changes)))
