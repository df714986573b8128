"""One layer: which members are kept, whiteouts, limits, and files that are no layers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pinner.inventory import layer as layers
from pinner.inventory.contents import Contents, Entry, Kind, Layer
from pinner.inventory.layer import Budget, read_layer, read_tar
from pinner.inventory.unreadable import Unreadable
from pinner.inventory.wanted import Wanted
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from support import tars

if TYPE_CHECKING:
    from pathlib import Path

STATUS = "var/lib/dpkg/status"
WANTED = Wanted(changelogs=True)


def read(*members: bytes, budget: Budget | None = None) -> Contents:
    return read_tar([tars.archive(*members)], WANTED, budget or Budget())


def why(layer: Layer) -> str:
    with pytest.raises(Unreadable) as caught:
        read_layer(layer, WANTED, Budget())
    return str(caught.value)


def test_files_folders_and_links_on_the_way_are_kept_in_their_order() -> None:
    found = read(
        tars.member(b"./", kind=b"5"),
        tars.member(b"./var/lib/", kind=b"5"),
        tars.member(b"./bin/sh", b"not wanted"),
        tars.symlink(b"./lib", b"usr/lib"),
        tars.member(b"./" + STATUS.encode(), b"data"),
        tars.hard_link(b"lib/apk/db/installed", b"./a//b"),
        tars.member(b"var/lib/rpm", kind=b"6"),
    )
    assert found.entries == (
        Entry("var/lib", Kind.FOLDER),
        Entry("lib", Kind.SYMLINK, "usr/lib"),
        Entry(STATUS, Kind.FILE, data=b"data"),
        Entry("lib/apk/db/installed", Kind.HARD_LINK, "a/b"),
        Entry("var/lib/rpm", Kind.OTHER),
    )


@pytest.mark.parametrize(
    "name", [STATUS, f"./{STATUS}", f"/{STATUS}", f"../../{STATUS}", "var/./lib//dpkg/x/../status"]
)
def test_Y13_a_database_is_found_however_its_name_is_spelled(name: str) -> None:
    assert read(tars.member(name.encode(), b"data")).entries == (
        Entry(STATUS, Kind.FILE, data=b"data"),
    )


def test_Y13_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = tars.gzip_layer(
        tmp_path, *(tars.member(name, b"x") for name in (b"../../x", b"/abs", STATUS.encode()))
    )
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    read_layer(layer, WANTED, Budget())
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "hidden", "emptied"),
    [
        ("var/lib/dpkg/.wh.status", {STATUS}, set()),
        ("var/lib/.wh.dpkg", {"var/lib/dpkg"}, set()),
        (".wh.var", {"var"}, set()),
        ("var/lib/dpkg/.wh..wh..opq", set(), {"var/lib/dpkg"}),
        (".wh..wh..opq", set(), {""}),
        ("var/lib/dpkg/.wh.", set(), set()),
        ("var/lib/dpkg/.wh..", set(), set()),
        ("var/lib/dpkg/.wh...", set(), set()),
        ("var/lib/dpkg/.wh.wh.status", set(), set()),  # of `wh.status`, which nobody wants
        ("usr/share/doc/.wh.wh.x", {"usr/share/doc/wh.x"}, set()),
        ("usr/share/doc/.wh..wh.x", {"usr/share/doc/.wh.x"}, set()),
    ],
)
def test_Y15_whiteouts(name: str, hidden: set[str], emptied: set[str]) -> None:
    found = read(tars.member(name.encode()))
    assert set(found.hidden) == hidden
    assert set(found.emptied) == emptied
    assert found.entries == ()


def test_Y16_of_a_path_that_is_there_twice_the_last_wins() -> None:
    budget = Budget()
    found = read(
        tars.member(STATUS.encode(), b"first"),
        tars.symlink(b"lib", b"x"),
        tars.member(b"./" + STATUS.encode(), b"last!"),
        budget=budget,
    )
    assert found.entries == (
        Entry("lib", Kind.SYMLINK, "x"),
        Entry(STATUS, Kind.FILE, data=b"last!"),
    )
    assert budget.held == layers.HELD_LIMIT - len(b"last!")


def test_Y17_names_of_any_bytes_are_kept_and_safe_to_print(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(layers, "DATABASE_LIMIT", 3)
    found = read(tars.member(b"var/lib/dpkg/status.d/\xff\n\x1b[31m", b"data"))
    (entry,) = found.entries
    assert entry.path.encode("utf-8", "surrogateescape").endswith(b"/\xff\n\x1b[31m")
    (note,) = found.notes
    assert note == "var/lib/dpkg/status.d/\\udcff\\n\\x1b[31m has 4 bytes, more than 3"


def test_a_database_that_is_too_large_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "DATABASE_LIMIT", 10)
    found = read(tars.member(STATUS.encode(), b"12345678901"), tars.symlink(b"lib", b"x"))
    assert [(entry.path, entry.data) for entry in found.entries] == [(STATUS, None), ("lib", None)]
    assert found.notes == (f"{STATUS} has 11 bytes, more than 10",)
    assert read(tars.member(STATUS.encode(), b"1234567890")).notes == ()


def test_a_changelog_has_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "CHANGELOG_LIMIT", 10)
    found = read(tars.member(b"usr/share/doc/a/changelog.Debian.gz", b"12345678901"))
    assert found.notes == ("usr/share/doc/a/changelog.Debian.gz has 11 bytes, more than 10",)


def test_all_files_together_have_a_limit() -> None:
    found = read(
        tars.member(b"var/lib/dpkg/status.d/a", b"12345"),
        tars.member(b"var/lib/dpkg/status.d/b", b"123456"),
        tars.member(b"var/lib/dpkg/status.d/c", b"12345"),
        budget=Budget(held=10),
    )
    assert [entry.data for entry in found.entries] == [b"12345", None, b"12345"]
    assert found.notes == ("var/lib/dpkg/status.d/b was left out: the files are too many",)


def test_Y10_what_is_kept_is_counted() -> None:
    folders = [tars.member(b"usr/share/doc/%d" % number, kind=b"5") for number in range(3)]
    assert len(read(*folders, budget=Budget(entries=3)).entries) == 3
    with pytest.raises(Unreadable, match="it has too many files on the way"):
        read(*folders, budget=Budget(entries=2))


def test_Y10_the_text_of_what_is_kept_is_counted() -> None:
    links = [tars.symlink(b"usr/share/doc/%d" % number, b"t" * 85) for number in range(3)]
    assert len(read(*links, budget=Budget(text=300)).entries) == 3
    with pytest.raises(Unreadable, match="it has too many files on the way"):
        read(*links, budget=Budget(text=299))


def test_Y11_a_sparse_database_is_a_note() -> None:
    head = tars.pax(tars.record(b"GNU.sparse.major", b"1"), tars.record(b"GNU.sparse.minor", b"0"))
    found = read(head + tars.member(STATUS.encode(), b"data"))
    assert found.notes == (f"{STATUS} is a sparse file, which is not read",)
    assert [entry.data for entry in found.entries] == [None]


def test_paths_and_links_longer_than_the_kernel_takes_are_nobodys() -> None:
    long = b"x" * 5000
    found = read(
        tars.pax(tars.record(b"linkpath", long)) + tars.symlink(b"lib", b""),
        tars.pax(tars.record(b"path", b"usr/share/doc/" + long)) + tars.member(b"x"),
    )
    assert found.entries == ()


def test_a_layer_that_is_not_at_hand(tmp_path: Path) -> None:
    descriptor = Descriptor(media_type=tars.GZIP_TYPE, digest=Digest.of(b""), size=0)
    assert why(Layer(descriptor=descriptor, path=None)) == "it is not at hand"
    assert why(Layer(descriptor=descriptor, path=tmp_path / "gone")) == "it is not at hand"


def test_a_layer_that_is_no_regular_file(tmp_path: Path) -> None:
    descriptor = Descriptor(media_type=tars.GZIP_TYPE, digest=Digest.of(b""), size=0)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    for name in ("fifo", "."):
        assert why(Layer(descriptor=descriptor, path=tmp_path / name)) == (
            "it is not a regular file"
        )
    assert why(Layer(descriptor=descriptor, path=tmp_path / "link")).startswith(
        "it cannot be opened: "
    )


def test_a_layer_of_another_kind_names_its_media_type(tmp_path: Path) -> None:
    layer = tars.layer_of(tmp_path, b'{"_type": "x"}' * 100, "application/vnd.in-toto+json")
    assert why(layer) == 'it is no tar; its media type is "application/vnd.in-toto+json"'
    assert why(tars.layer_of(tmp_path, b"\x00asm" * 200)) == "it is no tar"


def test_Y06_a_layer_that_is_not_compressed_though_named_gzip(tmp_path: Path) -> None:
    layer = tars.layer_of(tmp_path, tars.archive(tars.member(STATUS.encode(), b"data")))
    assert [entry.data for entry in read_layer(layer, WANTED, Budget()).entries] == [b"data"]


def test_flaws_are_notes(tmp_path: Path) -> None:
    good = tars.gzip_layer(tmp_path, tars.member(STATUS.encode(), b"data"))
    assert good.path is not None
    layer = tars.layer_of(tmp_path, good.path.read_bytes() + b"garbage")
    found = read_layer(layer, WANTED, Budget())
    assert [entry.data for entry in found.entries] == [b"data"]
    assert found.notes == ("bytes that are no gzip follow its gzip data",)
