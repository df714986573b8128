"""Which members matter; Y13: names are normalised for this, and for nothing else."""

from __future__ import annotations

import pytest

from pinner.inventory import databases
from pinner.inventory.changelog import wants_changelog
from pinner.inventory.wanted import DATABASE_FOLDERS, Wanted, normalised

ALL = Wanted(changelogs=True)
PLAIN = Wanted(changelogs=False)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"var/lib/dpkg/status", "var/lib/dpkg/status"),
        (b"./var/lib/dpkg/status", "var/lib/dpkg/status"),
        (b"/abs", "abs"),
        (b"//abs", "abs"),
        (b"../../x", "x"),
        (b"/../x", "x"),
        (b"a/./b//c", "a/b/c"),
        (b"a/../../b", "b"),
        (b"a/..", ""),
        (b"a/b/", "a/b"),
        (b".//x", "x"),
        (b"./", ""),
        (b".", ""),
        (b"", ""),
        (b"..", ""),
        (b"a/.hidden", "a/.hidden"),
        (b"a/..b/c", "a/..b/c"),
        (b"...", "..."),
        (b"a\xff\n/b", "a\udcff\n/b"),
        (b"a\x00b", "a\x00b"),
    ],
)
def test_Y13_names_are_normalised(name: bytes, path: str) -> None:
    assert normalised(name) == path


WANTED = [
    *("var/lib/dpkg/status", "var/lib/dpkg/status.d/base-files"),
    *("lib/apk/db/installed", "usr/lib/apk/db/installed"),
    *("var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"),
]


@pytest.mark.parametrize("path", WANTED)
def test_every_database_that_a_format_wants_is_looked_for(path: str) -> None:
    assert databases.wants(path)
    assert path.rpartition("/")[0] in DATABASE_FOLDERS
    assert PLAIN.takes(path)


@pytest.mark.parametrize("path", [*WANTED, "usr/share/doc/perl-base/changelog.Debian.gz"])
@pytest.mark.parametrize("form", ["{}", "./{}", "/{}", "../{}", "a/../{}"])
def test_Y13_wanted_members_matter_however_they_are_spelled(path: str, form: str) -> None:
    assert ALL.may_matter(form.format(path).encode())
    assert ALL.may_matter(form.format(path.replace("/", "//")).encode())


@pytest.mark.parametrize(
    "name",
    [
        *("var", "var/", "./var/lib/", "var/lib/dpkg", "lib", "usr/lib/sysimage", "usr/share/doc"),
        *("usr/share/doc/perl-base", "usr/share/doc/perl-base/"),
        *("var/lib/dpkg/.wh.status", "var/lib/.wh.dpkg", ".wh.var", "usr/share/doc/.wh.perl-base"),
        *(".wh..wh..opq", "var/lib/dpkg/.wh..wh..opq", "usr/share/doc/x/.wh..wh..opq"),
    ],
)
def test_what_stands_on_the_way_matters(name: str) -> None:
    assert ALL.may_matter(name.encode())


@pytest.mark.parametrize(
    "name",
    [
        *("bin/bash", "usr/bin/perl", "var/lib/apt/lists/x", "var/lib/dpkg/info/x.list", "etc"),
        *("usr/share/doc/perl-base/copyright", "var/lib/dpkg/status-old", "usr/share/docs/x"),
        *("usr/lib/.wh.x", "usr/bin/.wh..wh..opq", "var/lib/dpkg/available"),
    ],
)
def test_the_rest_does_not(name: str) -> None:
    assert not ALL.may_matter(name.encode())


def test_changelogs_are_taken_where_they_are_wanted() -> None:
    path = "usr/share/doc/perl-base/changelog.Debian.gz"
    assert wants_changelog(path)
    assert ALL.takes(path)
    assert not PLAIN.takes(path)
    assert not PLAIN.may_matter(path.encode())


def test_what_links_lead_to_matters_once_it_is_known() -> None:
    wanted = Wanted(
        changelogs=False, files=frozenset({"opt/a/status"}), folders={"srv/rpm": "var/lib/rpm"}
    )
    for path in ("opt/a/status", "srv/rpm/rpmdb.sqlite"):
        assert wanted.takes(path)
        assert wanted.may_matter(path.encode())
        assert not PLAIN.may_matter(path.encode())
    for path in ("opt", "opt/a", "srv", "srv/rpm", "opt/.wh.a", "srv/rpm/.wh..wh..opq"):
        assert wanted.may_matter(path.encode())
    for path in ("opt/b", "opt/a/x", "srv/rpm/x"):
        assert not wanted.may_matter(path.encode())
