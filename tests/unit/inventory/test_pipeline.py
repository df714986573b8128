"""Two images' layers in, what became of their packages out; and which layers are read for that."""

from __future__ import annotations

import dataclasses
import gzip
import random
from typing import TYPE_CHECKING

import pytest
import zstandard

from pinner.inventory import databases, pipeline
from pinner.inventory.layer import read_layer
from pinner.inventory.model import Changelog, Direction
from pinner.inventory.pipeline import compare_layers
from support import tars
from support.tars import gzip_layer, member, status, symlink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pinner.inventory.contents import Layer
    from pinner.inventory.formats import Database
    from pinner.inventory.model import PackageChanges

STATUS = b"var/lib/dpkg/status"
CHANGELOG = gzip.compress(
    b"a (2-1) bookworm-security; urgency=high\n\n  * Fix it (CVE-2026-1234)\n\n"
    b" -- A <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n\n"
    b"a (1-1) unstable; urgency=low\n\n  * First (CVE-2020-1111)\n\n"
    b" -- A <a@example.org>  Wed, 01 Jan 2025 00:00:00 +0000\n"
)
UPGRADED = [("a", "1-1", "2-1")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def versions(changes: PackageChanges) -> list[tuple[str, str | None, str | None]]:
    return [(change.name, change.before, change.after) for change in changes.changes]


def told(changes: PackageChanges) -> list[tuple[str, str | None, str | None]]:
    assert changes.notes == ()
    return versions(changes)


def unreadable(layer: Layer) -> Layer:
    """The layer as a test that must not read it has it."""
    return dataclasses.replace(layer, path=None)


def one(folder: Path, **packages: str) -> Layer:
    return gzip_layer(folder, member(STATUS, status(**packages)))


def test_an_image_of_one_layer_against_another(folder: Path) -> None:
    before = one(folder, a="1-1", b="1", d="2", e="1")
    after = one(folder, a="2-1", c="1", d="1", e="1")
    changes = compare_layers([before], [after])
    assert [(each.name, each.direction) for each in changes.changes] == [
        ("a", Direction.UPGRADED),
        ("b", Direction.REMOVED),
        ("c", Direction.ADDED),
        ("d", Direction.DOWNGRADED),
    ]
    assert changes.notes == ()


def test_a_zstd_layer(folder: Path) -> None:
    data = tars.archive(member(STATUS, status(a="2-1")))
    layer = tars.layer_of(folder, zstandard.compress(data))
    assert told(compare_layers([one(folder, a="1-1")], [layer])) == UPGRADED


def test_apk_and_distroless(folder: Path) -> None:
    before = gzip_layer(
        folder,
        member(b"lib/apk/db/installed", b"P:musl\nV:1.2.3-r4\nA:x86_64\n\n"),
        member(b"var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2025a-1\n"),
    )
    after = gzip_layer(
        folder,
        member(b"lib/apk/db/installed", b"P:musl\nV:1.2.3-r5\nA:x86_64\n\n"),
        member(b"var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2026a-1\n"),
    )
    assert told(compare_layers([before], [after])) == [
        ("musl", "1.2.3-r4", "1.2.3-r5"),
        ("tzdata", "2025a-1", "2026a-1"),
    ]


def test_equal_images_are_not_read(folder: Path) -> None:
    layer = unreadable(one(folder, a="1-1"))
    assert compare_layers([layer], [layer]) == compare_layers([], [])


def test_shared_layers_are_not_read_where_both_images_replace_the_database(folder: Path) -> None:
    base = unreadable(one(folder, a="0"))
    before, after = one(folder, a="1-1"), one(folder, a="2-1")
    assert told(compare_layers([base, before], [base, after])) == UPGRADED


def test_shared_layers_are_not_read_where_no_image_touches_a_database(folder: Path) -> None:
    base = unreadable(one(folder, a="0"))
    before = gzip_layer(folder, member(b"app/code", b"1"), member(b"var/lib/dpkg/", kind=b"5"))
    after = gzip_layer(folder, member(b"app/code", b"2"), member(b"var/lib/x", b""))
    assert told(compare_layers([base, before], [base, after])) == []


def test_shared_layers_are_read_from_the_top_until_it_is_known(folder: Path) -> None:
    lowest = unreadable(one(folder, a="0"))
    middle, code = one(folder, a="1-1"), gzip_layer(folder, member(b"app/code", b"1"))
    upgrade = one(folder, a="2-1")
    assert told(compare_layers([lowest, middle, code], [lowest, middle, code, upgrade])) == UPGRADED
    assert versions(compare_layers([lowest, code], [lowest, code, upgrade])) == []


def test_a_whiteout_needs_the_shared_layer(folder: Path) -> None:
    base = gzip_layer(
        folder,
        member(b"var/lib/dpkg/status.d/a", b"Package: a\nVersion: 1-1\n"),
        member(b"var/lib/dpkg/status.d/b", b"Package: b\nVersion: 1\n"),
    )
    removal = gzip_layer(folder, member(b"var/lib/dpkg/status.d/.wh.a"))
    opaque = gzip_layer(folder, member(b"var/lib/dpkg/status.d/.wh..wh..opq"))
    gone = gzip_layer(folder, member(b"var/lib/.wh.dpkg"))
    assert told(compare_layers([base], [base, removal])) == [("a", "1-1", None)]
    assert told(compare_layers([base, removal], [base])) == [("a", None, "1-1")]
    both = [("a", "1-1", None), ("b", "1", None)]
    assert told(compare_layers([base], [base, opaque])) == both
    assert told(compare_layers([base], [base, gone])) == both


def test_Y15_an_opaque_mark_may_stand_anywhere_in_its_layer(folder: Path) -> None:
    base = gzip_layer(
        folder,
        member(STATUS, status(a="1-1")),
        member(b"var/lib/dpkg/status.d/b", b"Package: b\nVersion: 1\n"),
    )
    mark, own = member(b"var/lib/dpkg/.wh..wh..opq"), member(STATUS, status(a="2-1"))
    for order in ((mark, own), (own, mark)):
        changes = compare_layers([base], [base, gzip_layer(folder, *order)])
        assert told(changes) == [*UPGRADED, ("b", "1", None)]


def test_Y16_of_a_database_that_is_there_twice_the_last_counts(folder: Path) -> None:
    twice = gzip_layer(folder, *(member(STATUS, status(a=version)) for version in ("1-5", "2-1")))
    assert told(compare_layers([one(folder, a="1-1")], [twice])) == UPGRADED


def test_Y17_names_of_any_bytes_come_out_safe(folder: Path) -> None:
    name = b"var/lib/dpkg/status.d/\xff\n\x1b[31m"
    before = gzip_layer(folder, member(name, b"Package: a\nVersion: 1-1\n"))
    after = gzip_layer(folder, symlink(name, b"nowhere"))
    changes = compare_layers([before], [after])
    assert changes.notes == (
        "packages not read: var/lib/dpkg/status.d/\\udcff\\n\\x1b[31m is a link to no file",
    )


def test_status_d_of_shared_layers_is_compared_file_by_file(folder: Path) -> None:
    base = unreadable(gzip_layer(folder, member(b"var/lib/dpkg/status.d/c", b"Package: c\n")))
    name = b"var/lib/dpkg/status.d/a"
    before = gzip_layer(folder, member(name, b"Package: a\nVersion: 1-1\n"))
    after = gzip_layer(folder, member(name, b"Package: a\nVersion: 2-1\n"))
    assert told(compare_layers([base, before], [base, after])) == UPGRADED


def test_fixes_are_those_that_the_newer_images_changelogs_name(folder: Path) -> None:
    base = one(folder, a="1-1")
    after = gzip_layer(
        folder,
        member(STATUS, status(a="2-1")),
        member(b"usr/share/doc/a/changelog.Debian.gz", CHANGELOG),
    )
    (change,) = compare_layers([base], [base, after]).changes
    assert change.changelog is Changelog.READ
    assert [(fix.cve, fix.urgency) for fix in change.fixes] == [("CVE-2026-1234", "high")]


def test_a_changelog_behind_a_link_of_its_folder(folder: Path) -> None:
    """As Debian has it for packages of one source."""
    after = gzip_layer(
        folder,
        member(STATUS, status(a="2-1")),
        symlink(b"usr/share/doc/a", b"libother"),
        member(b"usr/share/doc/libother/changelog.Debian.gz", CHANGELOG),
    )
    (change,) = compare_layers([one(folder, a="1-1")], [after]).changes
    assert [fix.cve for fix in change.fixes] == ["CVE-2026-1234"]


def test_an_older_images_changelogs_are_not_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gzip_layer(
        folder,
        member(STATUS, status(a="1-1")),
        member(b"usr/share/doc/a/changelog.Debian.gz", CHANGELOG),
    )
    monkeypatch.setattr("pinner.inventory.layer.CHANGELOG_LIMIT", 0)
    changes = compare_layers([before], [one(folder, a="2-1")])
    assert changes.changes[0].changelog is Changelog.ABSENT
    assert changes.notes == ()


@pytest.mark.parametrize(
    "members",
    [
        (symlink(STATUS, b"/opt/status"), member(b"opt/status", status(a="2-1"))),
        (member(b"opt/status", status(a="2-1")), symlink(STATUS, b"../../../opt/status")),
        (member(b"opt/status", status(a="2-1")), tars.hard_link(STATUS, b"opt/status")),
        (symlink(b"var/lib/dpkg", b"/srv/dpkg"), member(b"srv/dpkg/status", status(a="2-1"))),
        (symlink(b"var", b"a"), symlink(b"a", b"b"), member(b"b/lib/dpkg/status", status(a="2-1"))),
        (
            symlink(STATUS, b"/l/x"),
            symlink(b"l", b"m"),
            symlink(b"m/x", b"/n"),
            member(b"n", status(a="2-1")),
        ),
    ],
    ids=["absolute", "relative", "hard", "folder", "folders", "chain"],
)
def test_Y14_what_links_lead_to_is_read_in_another_round(
    members: tuple[bytes, ...], folder: Path
) -> None:
    before = one(folder, a="1-1")
    assert told(compare_layers([before], [gzip_layer(folder, *members)])) == UPGRADED
    apart = [gzip_layer(folder, each) for each in members]
    assert told(compare_layers([before], apart)) == UPGRADED
    assert told(compare_layers([before], [before, *apart])) == UPGRADED


def test_Y14_links_that_lead_on_and_on_are_a_note(folder: Path) -> None:
    links = [
        symlink(STATUS, b"/l0/x"),
        *(symlink(b"l%d" % number, b"l%d" % (number + 1)) for number in range(7)),
    ]
    changes = compare_layers([one(folder, a="1-1")], [gzip_layer(folder, *links)])
    assert changes.changes == ()
    assert changes.notes


@pytest.mark.parametrize(
    ("entry", "note"),
    [
        (symlink(STATUS, b"status"), "var/lib/dpkg/status has too many links"),
        (symlink(STATUS, b"/gone"), "var/lib/dpkg/status is a link to no file"),
        (member(STATUS, kind=b"6"), "var/lib/dpkg/status is a device or FIFO"),
        (member(STATUS, kind=b"3"), "var/lib/dpkg/status is a device or FIFO"),
        (member(STATUS, kind=b"5"), "var/lib/dpkg/status is a folder"),
        (tars.hard_link(STATUS, b"gone"), "var/lib/dpkg/status is a hard link to no file"),
    ],
)
def test_Y14_what_is_no_file_is_a_note_and_not_a_removal(
    entry: bytes, note: str, folder: Path
) -> None:
    changes = compare_layers([one(folder, a="1-1")], [gzip_layer(folder, entry)])
    assert changes.changes == ()
    assert changes.notes == (f"packages not read: {note}",)


def test_Y14_more_linked_databases_than_anyone_has_are_a_note(folder: Path) -> None:
    names = (b"%d" % number for number in range(1000))
    links = [symlink(b"var/lib/dpkg/status.d/" + name, b"/x/" + name) for name in names]
    changes = compare_layers([], [gzip_layer(folder, *links)])
    assert "packages not read: links to databases lead on and on" in changes.notes


def test_notes_are_few(folder: Path) -> None:
    names = (b"var/lib/dpkg/status.d/%d" % number for number in range(1000))
    changes = compare_layers([], [gzip_layer(folder, *(member(name, kind=b"3") for name in names))])
    assert len(changes.notes) == 51
    assert changes.notes[-1] == "950 further notes are left out"


def test_a_database_behind_two_names_is_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def image(version: str) -> Layer:
        return gzip_layer(
            folder,
            symlink(b"lib", b"usr/lib"),
            member(b"usr/lib/apk/db/installed", f"P:musl\nV:{version}\nA:x86_64\n".encode()),
        )

    seen = []
    real = databases.packages

    def packages(files: Mapping[str, bytes]) -> Database:
        seen.append(set(files))
        return real(files)

    monkeypatch.setattr(databases, "packages", packages)
    assert told(compare_layers([image("1-r0")], [image("1-r1")])) == [("musl", "1-r0", "1-r1")]
    assert seen == [{"usr/lib/apk/db/installed"}] * 2


def test_Y04_a_cut_layer_is_a_note_and_its_packages_are_left_out(folder: Path) -> None:
    good = one(folder, a="2-1")
    assert good.path is not None
    cut = tars.layer_of(folder, good.path.read_bytes()[:-20])
    note = f"packages not read: {cut.descriptor.digest.short}, its gzip data ends early"
    for before, after in (([one(folder, a="1-1")], [cut]), ([cut], [one(folder, a="1-1")])):
        changes = compare_layers(before, after)
        assert changes.changes == ()
        assert changes.notes == (note,)


def test_what_stands_above_a_layer_that_is_not_at_hand_is_told(folder: Path) -> None:
    gone = unreadable(gzip_layer(folder, member(b"x", b"y")))
    changes = compare_layers([one(folder, a="1-1")], [gone, one(folder, a="2-1")])
    assert versions(changes) == UPGRADED
    assert changes.notes == (
        f"packages not read: {gone.descriptor.digest.short}, it is not at hand",
    )


def test_what_stands_below_a_layer_that_is_not_at_hand_is_not_told(folder: Path) -> None:
    gone = unreadable(gzip_layer(folder, member(b"x", b"y")))
    base = unreadable(one(folder, a="0"))
    assert compare_layers([one(folder, a="1-1")], [one(folder, a="2-1"), gone]).changes == ()
    changes = compare_layers([base, one(folder, a="1-1")], [base, gone])
    assert changes.changes == ()
    assert len(changes.notes) == 1  # the base does not help, and is not looked at


def test_Y05_a_flaw_is_a_note_beside_the_changes(folder: Path) -> None:
    good = one(folder, a="2-1")
    assert good.path is not None
    flawed = tars.layer_of(folder, good.path.read_bytes() + b"garbage")
    changes = compare_layers([one(folder, a="1-1")], [flawed])
    assert versions(changes) == UPGRADED
    assert changes.notes == (
        f"layer {flawed.descriptor.digest.short}: bytes that are no gzip follow its gzip data",
    )


def test_Y02_gzip_within_gzip_is_a_note(folder: Path) -> None:
    noise = random.Random(2).randbytes(2000)
    inner = gzip.compress(tars.archive(member(STATUS, status(a="2-1")), member(b"x", noise)))
    layer = tars.layer_of(folder, gzip.compress(inner))
    changes = compare_layers([one(folder, a="1-1")], [layer])
    assert changes.changes == ()
    assert changes.notes == (f"packages not read: {layer.descriptor.digest.short}, it is no tar",)


def test_Y12_empty_layers_have_no_packages(folder: Path) -> None:
    for data in (b"", bytes(1024**2), gzip.compress(b""), gzip.compress(bytes(1024))):
        empty = tars.layer_of(folder, data)
        assert told(compare_layers([one(folder, a="1-1")], [empty])) == [("a", "1-1", None)]


def test_a_layer_in_both_images_at_different_places_is_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def counting(layer: Layer, *rest: object) -> object:
        read.append(layer.descriptor.digest)
        return read_layer(layer, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "read_layer", counting)
    app = gzip_layer(folder, member(b"app", b"x"))
    compare_layers([one(folder, a="1-1"), app], [one(folder, a="2-1"), app])
    assert len(read) == len(set(read)) == 3
