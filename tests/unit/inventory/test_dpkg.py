"""dpkg's databases: what is installed, and what becomes of stanzas that are damaged (P01)."""

from __future__ import annotations

import pytest

from pinner.inventory import dpkg, formats
from pinner.inventory.formats import Database
from pinner.inventory.model import Ecosystem, Package

STATUS = "var/lib/dpkg/status"
LIBC = b"""\
Package: libc6
Status: install ok installed
Priority: optional
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9+deb12u13
Depends: libgcc-s1
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Description: GNU C Library: Shared libraries
 Package: not-a-field
 .
 Version: neither
"""
LIBC_PACKAGE = Package(
    ecosystem=Ecosystem.DEB,
    name="libc6",
    version="2.36-9+deb12u13",
    architecture="amd64",
    source="glibc",
    source_version="2.36-9+deb12u13",
)


def read(*stanzas: bytes, path: str = STATUS) -> Database:
    return dpkg.packages({path: b"\n".join(stanzas)})


def named(database: Database) -> list[tuple[str, str]]:
    return [(package.name, package.version) for package in database.packages]


def stanza(name: str = "a", version: str = "1", status: str = "install ok installed") -> bytes:
    return f"Package: {name}\nStatus: {status}\nVersion: {version}\n".encode()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("var/lib/dpkg/status", True),
        ("var/lib/dpkg/status.d/libc6", True),
        ("var/lib/dpkg/status.d/libc6.md5sums", False),
        ("var/lib/dpkg/status.d/a/b", False),
        ("var/lib/dpkg/status-old", False),
        ("var/lib/dpkg/info/libc6.list", False),
        ("x/var/lib/dpkg/status", False),
    ],
)
def test_wanted_files(path: str, wanted: bool) -> None:  # noqa: FBT001
    assert dpkg.wants(path) is wanted


def test_a_stanza() -> None:
    assert read(LIBC) == Database(packages=(LIBC_PACKAGE,))


def test_P01_carriage_returns() -> None:
    assert read(LIBC.replace(b"\n", b"\r\n"), stanza("b")).packages[0] == LIBC_PACKAGE
    assert named(read(LIBC.replace(b"\n", b"\r\n"), b"\r\n", stanza("b")))[1] == ("b", "1")


def test_several_stanzas_and_empty_lines() -> None:
    database = read(b"\n \t\n", LIBC, b"\n\n", stanza("b", "1:2-3"), b"\n")
    assert named(database) == [("libc6", "2.36-9+deb12u13"), ("b", "1:2-3")]
    assert database.notes == ()


def test_a_line_of_spaces_parts_stanzas() -> None:
    database = dpkg.packages({STATUS: stanza("a") + b" \t\n" + stanza("b")})
    assert named(database) == [("a", "1"), ("b", "1")]


def test_field_names_in_any_case() -> None:
    text = b"PACKAGE: a\nstatus:install ok installed\nVERSION :1\n"
    assert named(read(text)) == [("a", "1")]


@pytest.mark.parametrize(
    ("field", "source"),
    [
        ("", ("bash", "5.2.15-2+b8")),
        ("Source: bash (5.2.15-2)", ("bash", "5.2.15-2")),
        ("Source: gcc-defaults (1.203)", ("gcc-defaults", "1.203")),
        ("Source: glibc", ("glibc", "5.2.15-2+b8")),
        ("Source: a b c", ("bash", "5.2.15-2+b8")),
        ("Source:", ("bash", "5.2.15-2+b8")),
    ],
)
def test_source(field: str, source: tuple[str, str]) -> None:
    (package,) = read(stanza("bash", "5.2.15-2+b8") + field.encode() + b"\n").packages
    assert (package.source, package.source_version) == source


@pytest.mark.parametrize(
    ("status", "installed"),
    [
        ("install ok installed", True),
        ("hold ok installed", True),
        ("install ok triggers-pending", True),
        ("install ok triggers-awaited", True),
        ("install ok half-configured", True),
        ("install ok unpacked", True),
        ("install reinstreq half-installed", False),
        ("deinstall ok config-files", False),
        ("unknown ok not-installed", False),
        ("purge ok not-installed", False),
    ],
)
def test_P01_only_what_is_installed(status: str, installed: bool) -> None:  # noqa: FBT001
    database = read(stanza("a", "1", status))
    assert bool(database.packages) is installed
    assert database.notes == ()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"Status: install ok installed\nVersion: 1\n", id="no package"),
        pytest.param(b"Package: b\nStatus: install ok installed\n", id="no version"),
        pytest.param(b"Package: b\nVersion: 1\n", id="no status"),
        pytest.param(stanza("b", status="installed"), id="a status of one word"),
        pytest.param(stanza("b", "1\x1b[2J"), id="an escape in the version"),
        pytest.param(stanza("b", "1 2"), id="a space in the version"),
        pytest.param(stanza("b", "1\n 2"), id="a continued version"),
        pytest.param(stanza("b", "1\u202e2"), id="a bidirectional control in the version"),
        pytest.param(stanza("b\u200b"), id="an unseen character in the name"),
        pytest.param(stanza("b", "1" * 256), id="a long version"),
        pytest.param(stanza("b", "1\n" + " x\n" * 1000), id="a version of many lines"),
        pytest.param(b"Package: \xff\n" + stanza("b")[11:], id="a name that is not UTF-8"),
        pytest.param(stanza("b") + b"Version: 2\n", id="two versions"),
        pytest.param(stanza("b") + b"Architecture: a b\n", id="a space in the architecture"),
        pytest.param(stanza("b") + b"Source: " + b"x" * 2000 + b"\n", id="a long source"),
        pytest.param(b"just some text\n", id="text"),
        pytest.param(b"\x7fELF\x02\x01\x00\xff\n", id="a program"),
    ],
)
def test_P01_bad_stanzas_are_counted(bad: bytes) -> None:
    database = read(stanza("a"), bad, stanza("c"))
    assert named(database) == [("a", "1"), ("c", "1")]
    assert database.notes == (f"entries that cannot be read, from {STATUS} on: 1",)


def test_P01_no_empty_line_at_all() -> None:
    database = dpkg.packages({STATUS: stanza("a") + stanza("b")})
    assert database.packages == ()
    assert len(database.notes) == 1


def test_P01_of_one_package_twice_the_last_counts() -> None:
    assert named(read(stanza("a", "1"), stanza("b"), stanza("a", "2"))) == [("a", "2"), ("b", "1")]


def test_one_package_of_two_architectures() -> None:
    texts = [stanza() + f"Architecture: {each}\n".encode() for each in ("amd64", "i386")]
    assert [package.architecture for package in read(*texts).packages] == ["amd64", "i386"]


def test_P01_a_stanza_of_a_million_lines() -> None:
    database = read(stanza("a") + b"X-Line: y\n z\n" * 500_000, stanza("b"))
    assert named(database) == [("a", "1"), ("b", "1")]


def test_P01_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinner.inventory.stanzas.FILE_LIMIT", 1000)
    assert read(b"x" * 1001) == Database(notes=(f"{STATUS} is not read: it is too large",))


def test_P01_more_stanzas_than_an_image_can_have() -> None:
    database = read(*[b"x: y\n"] * (formats.PACKAGES_LIMIT + 1))
    assert "packages after the first 50000 entries are not read" in database.notes


def test_P01_status_d_has_no_status() -> None:
    files = {
        "var/lib/dpkg/status.d/libc6": LIBC.replace(b"Status: install ok installed\n", b""),
        "var/lib/dpkg/status.d/libc6.md5sums": b"0123  usr/lib/libc.so.6\n",
        "var/lib/dpkg/status.d/tzdata": b"Package: tzdata\nVersion: 2025b\nArchitecture: all\n",
        "etc/passwd": b"root:x:0:0\n",
    }
    database = dpkg.packages(files)
    assert named(database) == [("libc6", "2.36-9+deb12u13"), ("tzdata", "2025b")]
    assert database.notes == ()


def test_no_database() -> None:
    assert dpkg.packages({}) == Database()
    assert dpkg.packages({STATUS: b""}) == Database()
