"""apk's database, and what becomes of lines that are not as they should be (P02)."""

from __future__ import annotations

import pytest

from pinner.inventory import apk
from pinner.inventory.formats import Database
from pinner.inventory.model import Ecosystem, Package

INSTALLED = "lib/apk/db/installed"
LIBCRYPTO = b"""\
C:Q1dnoAjJ0OLVBtZwHrIvqUcHYmvuo=
P:libcrypto3
V:3.3.2-r0
A:x86_64
S:1754043
I:4481024
T:Crypto library from openssl
U:https://www.openssl.org/
L:Apache-2.0
o:openssl
m:Maintainer <m@example.org>
t:1725391521
c:f4cbb65abd3e3dcbe7b2e1a25bba6ba3bfcb9c8c
D:so:libc.musl-x86_64.so.1
p:so:libcrypto.so.3=3
F:etc
F:etc/ssl
M:0:0:755
R:openssl.cnf
Z:Q1wGuxVEOK9iGLj1i8D3BSBnT7MJA=
F:lib
R:libcrypto.so.3
a:0:0:755
Z:Q1Mcgi2+kBQOpUs1YBKHDATQDqc3k=
"""
BUSYBOX = b"P:busybox\nV:1.36.1-r29\nA:x86_64\n"
NAMES = [("libcrypto3", "3.3.2-r0"), ("busybox", "1.36.1-r29")]


def read(*paragraphs: bytes) -> Database:
    return apk.packages({INSTALLED: b"\n".join(paragraphs)})


def named(database: Database) -> list[tuple[str, str]]:
    return [(package.name, package.version) for package in database.packages]


def test_wanted_files() -> None:
    assert apk.wants("lib/apk/db/installed")
    assert apk.wants("usr/lib/apk/db/installed")
    assert not apk.wants("lib/apk/db/scripts.tar")
    assert not apk.wants("x/lib/apk/db/installed")


def test_paragraphs() -> None:
    database = read(LIBCRYPTO, BUSYBOX, b"")
    assert database == Database(
        packages=(
            Package(
                ecosystem=Ecosystem.APK,
                name="libcrypto3",
                version="3.3.2-r0",
                architecture="x86_64",
                source="openssl",
                source_version="3.3.2-r0",
            ),
            Package(
                ecosystem=Ecosystem.APK,
                name="busybox",
                version="1.36.1-r29",
                architecture="x86_64",
                source="busybox",
                source_version="1.36.1-r29",
            ),
        )
    )


def test_the_place_of_apk_tools_3() -> None:
    assert named(apk.packages({"usr/lib/apk/db/installed": BUSYBOX})) == NAMES[1:]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b"odd\n", id="no colon"),
        pytest.param(b":\n", id="no letter"),
        pytest.param(b"PP:x\n", id="two letters"),
        pytest.param(b"v:9\n", id="another letter"),
        pytest.param(b"\xff\xfe:\x00\x1b\n", id="bytes"),
        pytest.param(b"x" * 100_000 + b"\n", id="a long line"),
    ],
)
def test_P02_odd_lines(odd: bytes) -> None:
    assert named(read(odd + LIBCRYPTO + odd, BUSYBOX)) == NAMES
    assert read(odd + LIBCRYPTO + odd, BUSYBOX).notes == ()


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"P:a\n", id="no version"),
        pytest.param(b"V:1\n", id="no name"),
        pytest.param(b"P:a\nV:1\nV:2\n", id="two versions"),
        pytest.param(b"P:a\nV:1\x1b[31m\n", id="an escape"),
        pytest.param(b"P:a b\nV:1\n", id="a space"),
        pytest.param(b"P:a\nV:\xff\n", id="not UTF-8"),
        pytest.param(b"P:a\nV:1\nA:x y\n", id="a space in the architecture"),
        pytest.param(b"text\n", id="text"),
    ],
)
def test_P02_bad_paragraphs_are_counted(bad: bytes) -> None:
    database = read(LIBCRYPTO, bad, BUSYBOX)
    assert named(database) == NAMES
    assert database.notes == (f"entries that cannot be read, from {INSTALLED} on: 1",)
