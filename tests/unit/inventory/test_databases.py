"""The table of formats, on the roots that the demo lays out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.demo.packages import alpine_root, debian_root
from pinner.demo.roots import ALPINE, DEBIAN, DEBIAN_UPDATED
from pinner.inventory import databases
from pinner.inventory.changelog import wants_changelog
from pinner.inventory.difference import difference
from pinner.inventory.model import Ecosystem

if TYPE_CHECKING:
    from pinner.demo.archive import Tree


def wanted(tree: Tree) -> dict[str, bytes]:
    return {
        path: content
        for path, content in tree.items()
        if isinstance(content, bytes) and (databases.wants(path) or wants_changelog(path))
    }


def test_one_format_an_ecosystem() -> None:
    assert [each.ECOSYSTEM for each in databases.FORMATS] == list(Ecosystem)


def test_all_formats_of_an_image() -> None:
    files = wanted(debian_root(DEBIAN, architecture="amd64", release="12.11"))
    files |= wanted(alpine_root(ALPINE, architecture="amd64", release="3.20.3"))
    found = databases.packages({**files, "usr/lib/sysimage/rpm/rpmdb.sqlite": b""})
    assert {(each.name, each.version) for each in found.packages} == {
        (each.name, each.version) for each in (*DEBIAN, *ALPINE)
    }
    assert found.notes == (
        "usr/lib/sysimage/rpm/rpmdb.sqlite is not read: it is not an SQLite database",
    )


def test_the_demos_security_update() -> None:
    before, after = (
        wanted(debian_root(packages, architecture="amd64", release="12.11"))
        for packages in (DEBIAN, DEBIAN_UPDATED)
    )
    found = difference(databases.packages(before), databases.packages(after), after)
    assert {
        (each.name, each.before, each.after, tuple(fix.cve for fix in each.fixes))
        for each in found.changes
    } == {
        ("libc6", "2.36-9+deb12u11", "2.36-9+deb12u13", ("CVE-2025-8058",)),
        *(
            (
                name,
                "3.0.17-1~deb12u2",
                "3.0.17-1~deb12u3",
                ("CVE-2025-9230", "CVE-2025-9232"),
            )
            for name in ("libssl3", "openssl")
        ),
        ("perl-base", "5.36.0-7+deb12u1", "5.36.0-7+deb12u2", ("CVE-2024-56406",)),
    }
