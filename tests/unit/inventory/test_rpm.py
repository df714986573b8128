"""rpm's database. The two fixtures were made by rpm 4.18: tests/support/make_rpm_fixtures.py."""

from __future__ import annotations

import gzip
import sqlite3
import struct
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from pinner.inventory import rpm, rpmsqlite
from pinner.inventory.difference import difference
from pinner.inventory.formats import Fixes, Upgrade
from pinner.inventory.model import Changelog, Direction, Ecosystem, Fix, Package
from support.rpms import STRING, STRINGS, header
from support.tables import FIXTURES

if TYPE_CHECKING:
    from pinner.inventory.formats import Database

PATH: Final = "var/lib/rpm/rpmdb.sqlite"
TABLE: Final = "CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)"
COUNTED: Final = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
INTERIOR: Final = 5
TOO_MANY: Final = "it has more packages than can be in it"
UNREAD: Final = f"{PATH} is not read: "


def fixture(name: str) -> bytes:
    return gzip.decompress((FIXTURES / "inventory" / f"{name}.sqlite.gz").read_bytes())


def made(*statements: str) -> bytes:
    """A database by the standard library, for what rpm would never make."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        return connection.serialize()


def read(data: bytes) -> Database:
    return rpm.packages({PATH: data})


def test_what_rpm_made() -> None:
    database = read(fixture("older"))
    assert database.notes == ()
    assert [(each.name, each.version, each.source) for each in database.packages] == [
        ("bash", "5.1.8-6.el9", "bash"),
        ("openssl-libs", "1:3.0.7-24.el9", "openssl"),
        ("kernel-core", "5.14.0-362.el9", "kernel-core"),
        ("kernel-core", "5.14.0-427.el9", "kernel-core"),
    ]
    assert database.packages[1] == Package(
        ecosystem=Ecosystem.RPM,
        name="openssl-libs",
        version="1:3.0.7-24.el9",
        architecture="noarch",
        source="openssl",
        source_version="3.0.7-24.el9",
    )


def test_the_other_place() -> None:
    path = "usr/lib/sysimage/rpm/rpmdb.sqlite"
    assert rpm.wants(path)
    assert len(rpm.packages({path: fixture("older")}).packages) == 4


def test_an_upgrade_and_what_its_changelog_names() -> None:
    files = {PATH: fixture("newer")}
    changes = difference(read(fixture("older")), rpm.packages(files), files)
    assert changes.notes == ()
    assert [(each.name, each.before, each.after, each.direction) for each in changes.changes] == [
        ("kernel-core", "5.14.0-362.el9", "5.14.0-503.el9", Direction.UPGRADED),
        ("openssl-libs", "1:3.0.7-24.el9", "1:3.0.7-25.el9_3", Direction.UPGRADED),
        ("tzdata", None, "2025b-1.el9", Direction.ADDED),
    ]
    kernel, openssl, tzdata = changes.changes
    assert (kernel.changelog, kernel.fixes) == (Changelog.ABSENT, ())
    assert openssl.changelog is Changelog.READ
    assert openssl.fixes == (
        Fix(cve="CVE-2023-3446", urgency=""),
        Fix(cve="CVE-2023-3817", urgency=""),
    )
    assert tzdata.changelog is Changelog.UNUSED


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        pytest.param(["CREATE TABLE x (y)"], "it has no table of packages", id="no table"),
        pytest.param(
            ["CREATE VIEW Packages AS SELECT zeroblob(100000000) AS blob"],
            "its table of packages is not as rpm makes it",
            id="a view",
        ),
        pytest.param(
            [
                "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL AS (x'00'))",
            ],
            "its table of packages is not as rpm makes it",
            id="a computed column",
        ),
        pytest.param(
            ["CREATE VIRTUAL TABLE Packages USING fts5(blob)"],
            "its table of packages is not as rpm makes it",
            id="a virtual table",
        ),
        pytest.param(
            ["CREATE TABLE x (y)", "CREATE VIEW packages AS SELECT 1 AS blob"],
            "its table of packages is not as rpm makes it",
            id="a view in other letters",
        ),
    ],
)
def test_P03_a_hostile_schema(statements: list[str], why: str) -> None:
    database = read(made(*statements))
    assert database.packages == ()
    assert database.notes == (UNREAD + why,)


def test_P03_a_schema_whose_names_are_no_text() -> None:
    data = made(TABLE, "CREATE TABLE zzzz (y)")
    data = data.replace(b"CREATE TABLE zzzz", b"CREATE TABEL zzzz").replace(b"zzzz", b"\xff\xfezz")
    assert read(data).notes == (f"{UNREAD}its schema is damaged",)


def test_P03_a_damaged_size_that_no_memory_holds() -> None:
    data = (FIXTURES / "fuzz/packages/sizes-that-ask-for-too-much").read_bytes()[1:]
    assert read(data).notes == (f"{UNREAD}it asks for too much memory",)


def test_P03_a_schema_without_end() -> None:
    views = "SELECT 'view', 'v' || i, 'v' || i, 0, 'CREATE VIEW v' || i || ' AS SELECT 1' FROM n"
    data = made(
        TABLE, "PRAGMA writable_schema = ON", f"INSERT INTO sqlite_master {COUNTED} {views}"
    )
    assert read(data).notes == (f"{UNREAD}it takes more work than an honest one",)


def test_P03_rows_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpmsqlite, "PACKAGES_LIMIT", 3)
    assert read(fixture("older")).notes == (f"{UNREAD}{TOO_MANY}",)


def test_P03_a_page_that_is_used_again_and_again() -> None:
    """Every child of the table's root is made the first one, which has a large row."""
    large = "INSERT INTO Packages VALUES (1, zeroblob(200000))"
    small = f"INSERT INTO Packages {COUNTED} SELECT i + 1, zeroblob(1) FROM n WHERE i < 2000"  # noqa: S608
    data = bytearray(made("PRAGMA page_size = 512", TABLE, large, small))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(bytes(data))
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name='Packages'")
    root = (page - 1) * 512
    kind, _, cells = struct.unpack_from(">BHH", data, root)
    assert kind == INTERIOR
    offsets = [root + each for each in struct.unpack_from(f">{cells}H", data, root + 12)]
    for offset in offsets:
        data[offset : offset + 4] = data[offsets[0] : offsets[0] + 4]
    assert f"{UNREAD}{TOO_MANY}" in read(bytes(data)).notes


def test_P03_rows_that_are_no_headers_are_counted() -> None:
    rows = "INSERT INTO Packages (blob) VALUES (x'00'), ('text'), (7), (zeroblob(64))"
    assert read(made(TABLE, rows)).notes == (f"entries of {PATH} that cannot be read: 4",)


def test_many_rows_are_no_reason_to_stop() -> None:
    data = made(TABLE, f"INSERT INTO Packages {COUNTED} SELECT i, x'00' FROM n")  # noqa: S608
    assert read(data).notes == (f"entries of {PATH} that cannot be read: 20000",)


def test_P03_nothing_but_reading_is_authorised() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        rpmsqlite._open(connection, fixture("older"))
        for statement in ("SELECT randomblob(9)", "PRAGMA page_count", "CREATE TABLE x (y)"):
            with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
                connection.execute(statement)


@pytest.mark.parametrize(
    ("name", "newer"),
    [
        ("Ada <ada@x.example> - 2-1", True),
        ("Ada <ada@x.example> 2-1", True),
        ("Ada <ada@x.example>-2-1", True),
        ("Ada Lovelace - 2-1", True),
        ("Ada <ada@x.example> - 9:2-1.el9", True),
        ("Ada <ada@x.example> - 2", True),
        ("Ada <ada@x.example> - 1-1", False),
        ("Ada <ada@x.example> - 3-1", False),
    ],
)
def test_an_entry_says_its_version(name: str, newer: bool) -> None:  # noqa: FBT001
    fixes = (Fix(cve="CVE-2025-0001", urgency=""),) if newer else ()
    assert logged(name) == fixes


@pytest.mark.parametrize("name", ["ada@x.example", "Ada <ada@x.example>", "Ada Lovelace", "", "-"])
def test_an_entry_without_a_version(name: str) -> None:
    assert logged(name) is None


def logged(name: str, texts: int = 1) -> tuple[Fix, ...] | None:
    """What an upgrade from 1-1.el9 to 2-1.el9 fixes by a changelog of one entry."""
    blob = header(
        (1000, STRING, b"a\0", 1),
        (1001, STRING, b"2\0", 1),
        (1002, STRING, b"1.el9\0", 1),
        (1044, STRING, b"a-2-1.el9.src.rpm\0", 1),
        (1081, STRINGS, name.encode() + b"\0", 1),
        (1082, STRINGS, b"- CVE-2025-0001\0", texts),
    )
    files = {PATH: made(TABLE, f"INSERT INTO Packages VALUES (1, x'{blob.hex()}')")}  # noqa: S608
    (after,) = rpm.packages(files).packages
    before = replace(after, version="1-1.el9", source_version="1-1.el9")
    return rpm.fixes([Upgrade(before, after)], [after], files).found.get(after)


def test_P03_fixes_of_a_damaged_database() -> None:
    older = read(fixture("older")).packages
    upgrades = [Upgrade(package, package) for package in older]
    for data in (b"", fixture("older")[:120_000]):
        assert rpm.fixes(upgrades, older, {PATH: data}) == Fixes()


def test_P03_a_damaged_changelog_is_none() -> None:
    assert logged("Ada <ada@x.example> - 2-1", texts=2) is None


def test_P03_a_row_that_is_too_large() -> None:
    database = read(made(TABLE, "INSERT INTO Packages (blob) VALUES (zeroblob(17000000))"))
    assert database.packages == ()
    assert database.notes == (f"{UNREAD}string or blob too big",)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "it is not an SQLite database", id="empty"),
        pytest.param(b"\0" * 4096, "it is not an SQLite database", id="zeros"),
        pytest.param(b"SQLite format 3\0", "it is not an SQLite database", id="the magic alone"),
        pytest.param(
            b"SQLite format 3\0" + b"\xff" * 4096, "file is not a database", id="a bad head"
        ),
    ],
)
def test_P03_no_database(data: bytes, why: str) -> None:
    assert read(data).notes == (UNREAD + why,)


def test_P03_a_huge_page_count() -> None:
    data = bytearray(fixture("older"))
    data[28:32] = b"\xff\xff\xff\xff"
    assert len(read(bytes(data)).packages) + len(read(bytes(data)).notes) > 0


@pytest.mark.parametrize("size", [100, 4096, 8192, 40_960, 120_000])
def test_P03_cut_short(size: int) -> None:
    (note,) = read(fixture("older")[:size]).notes
    assert note.startswith(UNREAD)


def test_P03_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpm, "FILE_LIMIT", 100_000)
    assert read(fixture("older")).notes == (f"{UNREAD}it is too large",)


@pytest.mark.parametrize(("name", "kind"), [("Packages", "Berkeley DB"), ("Packages.db", "ndb")])
def test_P03_older_databases_are_noted(name: str, kind: str) -> None:
    path = f"var/lib/rpm/{name}"
    assert rpm.wants(path)
    (note,) = rpm.packages({path: b"\0" * 8192}).notes
    assert note == f"{path} is not read: of rpm's databases only SQLite is, not {kind}"


def test_a_log_is_noted_where_it_holds_something() -> None:
    log = f"{PATH}-wal"
    assert rpm.wants(log)
    assert rpm.packages({PATH: fixture("older"), log: b""}).notes == ()
    assert rpm.packages({PATH: fixture("older"), log: b"x"}).notes == (
        f"what stands only in {log} is not read",
    )
