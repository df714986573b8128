"""Layers on top of each other, and links: Y14 and Y15 of the fault catalogue."""

from __future__ import annotations

import pytest

from pinner.inventory.contents import Contents, Entry, Kind
from pinner.inventory.overlay import Overlay, State
from pinner.inventory.wanted import normalised

STATUS = "var/lib/dpkg/status"


def file(path: str, data: str = "data") -> Entry:
    return Entry(path, Kind.FILE, data=data.encode())


def folder(path: str) -> Entry:
    return Entry(path, Kind.FOLDER)


def symlink(path: str, target: str) -> Entry:
    return Entry(path, Kind.SYMLINK, target)


def hard_link(path: str, target: str) -> Entry:
    return Entry(path, Kind.HARD_LINK, target)


def layer(*entries: Entry, hidden: str = "", emptied: str | None = None) -> Contents:
    return Contents(
        entries=entries,
        hidden=frozenset(hidden.split()),
        emptied=frozenset() if emptied is None else frozenset({emptied}),
    )


def whole(*layers: Contents | None) -> Overlay:
    return Overlay(layers, is_whole=True)


def upper(*layers: Contents | None) -> Overlay:
    return Overlay(layers, is_whole=False)


def data(image: Overlay, path: str = STATUS) -> bytes | State:
    spot = image.find(path)
    return spot.state if spot.data is None else spot.data


def test_a_file_is_found() -> None:
    assert data(whole(layer(file(STATUS)))) == b"data"
    assert data(whole(layer(file(STATUS))), "var/lib/dpkg/other") is State.ABSENT
    assert data(whole(layer(file(STATUS))), "var/lib/dpkg") is State.FOLDER


def test_the_upper_layer_wins() -> None:
    assert data(whole(layer(file(STATUS, "old")), layer(file(STATUS, "new")))) == b"new"


def test_a_folder_lets_what_is_in_it_be() -> None:
    assert data(whole(layer(file(STATUS)), layer(folder("var/lib/dpkg")))) == b"data"


@pytest.mark.parametrize(
    "upper_layer",
    [
        layer(hidden=STATUS),
        layer(hidden="var/lib/dpkg"),
        layer(hidden="var"),
        layer(emptied="var/lib/dpkg"),
        layer(emptied="var"),
        layer(emptied=""),
        layer(Entry("var/lib", Kind.OTHER)),
        layer(file("var/lib/dpkg", "a file in place of the folder")),
        layer(symlink("var/lib", "nowhere")),
    ],
)
def test_Y15_what_an_upper_layer_takes_away_is_gone(upper_layer: Contents) -> None:
    assert data(whole(layer(file(STATUS)), upper_layer)) in {State.ABSENT, State.ODD}
    assert data(whole(layer(file(STATUS)), upper_layer, layer(file(STATUS, "new")))) == b"new"


@pytest.mark.parametrize("kept", ["var/lib/dpkg/.wh.other", "var/lib/dpk", "lib", "status"])
def test_Y15_a_whiteout_hides_nothing_else(kept: str) -> None:
    assert data(whole(layer(file(STATUS)), layer(hidden=kept))) == b"data"


@pytest.mark.parametrize("emptied", ["var/lib/dpkg", "var", ""])
def test_Y15_an_opaque_folder_keeps_its_own_layers_files(emptied: str) -> None:
    """Wherever in the layer the mark stands: `Contents` does not even say."""
    lower = layer(file(STATUS, "old"), file("var/lib/dpkg/status.d/x"))
    image = whole(lower, layer(file(STATUS, "new"), emptied=emptied))
    assert data(image) == b"new"
    assert data(image, "var/lib/dpkg/status.d/x") is State.ABSENT


def test_Y15_a_whiteout_leaves_its_own_layers_file() -> None:
    image = whole(layer(file(STATUS, "old")), layer(file(STATUS, "new"), hidden=STATUS))
    assert data(image) == b"new"


def test_a_folder_in_place_of_a_file_or_a_link_is_empty() -> None:
    for lower in (file("var/lib/dpkg"), symlink("var/lib/dpkg", "/srv"), Entry("var", Kind.OTHER)):
        image = whole(layer(file("srv/status"), lower), layer(folder("var/lib/dpkg")))
        assert data(image) is State.ABSENT


def test_within_a_layer_the_order_counts() -> None:
    first, last = file("lib/apk/db/installed"), symlink("lib", "usr/lib")
    assert data(whole(layer(first, last)), "lib/apk/db/installed") is State.ABSENT
    assert data(whole(layer(last, first)), "lib/apk/db/installed") == b"data"
    assert data(whole(layer(last, first)), "usr/lib/apk/db/installed") == b"data"


@pytest.mark.parametrize(
    ("target", "real"),
    [
        ("status-real", "var/lib/dpkg/status-real"),
        ("./status-real", "var/lib/dpkg/status-real"),
        ("../../../opt/status", "opt/status"),
        ("/opt/status", "opt/status"),
        ("//opt/./x/../status", "opt/status"),
        ("../../../../../../../opt/status", "opt/status"),
        ("/../../opt/status", "opt/status"),
    ],
)
def test_Y14_a_symlink_is_followed_within_the_image(target: str, real: str) -> None:
    entries = [symlink(STATUS, target), file(real, "found"), folder("opt/x")]
    for layers in ([layer(*entries)], [layer(entry) for entry in entries]):
        spot = whole(*layers).find(STATUS)
        assert (spot.data, spot.real, spot.linked) == (b"found", real, True)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("var/lib/rpm", "../../usr/lib/sysimage/rpm"),
        ("var/lib", "../usr/lib/links"),
        ("var", "/usr/lib/../lib/varlinks"),
    ],
)
def test_Y14_links_at_parent_folders(link: str, target: str) -> None:
    image = whole(
        layer(
            symlink(link, target),
            file("usr/lib/sysimage/rpm/rpmdb.sqlite"),
            symlink("usr/lib/links/rpm", "../sysimage/rpm"),
            symlink("usr/lib/varlinks/lib", "/usr/lib/links"),
        )
    )
    spot = image.find("var/lib/rpm/rpmdb.sqlite")
    assert (spot.data, spot.real) == (b"data", "usr/lib/sysimage/rpm/rpmdb.sqlite")


def test_Y14_a_member_below_a_link_of_a_lower_layer_lands_behind_it() -> None:
    image = whole(
        layer(symlink("lib", "usr/lib"), file("usr/lib/apk/db/installed", "old")),
        layer(file("lib/apk/db/installed", "new")),
        layer(hidden="lib/apk/db/other"),
    )
    assert data(image, "usr/lib/apk/db/installed") == b"new"
    assert (
        data(
            whole(
                layer(symlink("lib", "usr/lib"), file("usr/lib/apk/db/installed")),
                layer(hidden="lib/apk/db/installed"),
            ),
            "usr/lib/apk/db/installed",
        )
        is State.ABSENT
    )


def chain(hops: int) -> Overlay:
    links = [symlink(f"l{number}", f"l{number + 1}") for number in range(hops)]
    return whole(layer(*links, file(f"l{hops}", "end")))


def test_Y14_eight_hops_and_no_more() -> None:
    assert data(chain(8), "l0") == b"end"
    spot = chain(9).find("l0")
    assert (spot.state, spot.why) == (State.ODD, "has too many links")


@pytest.mark.parametrize(
    "entries",
    [
        (symlink(STATUS, "status"),),
        (symlink("var", "var"),),
        (symlink("var", "/var/x"), file(STATUS)),
        (symlink("var/lib", "/a"), symlink("a", "b"), symlink("b", "/a/c"), file(STATUS)),
    ],
)
def test_Y14_a_cycle_ends(entries: tuple[Entry, ...]) -> None:
    spot = whole(layer(*entries), layer(hidden=STATUS), layer(file(STATUS + "/x"))).find(STATUS)
    assert spot.data is None
    assert whole(layer(*entries)).find(STATUS).why == "has too many links"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (Entry(STATUS, Kind.OTHER), "is a device or FIFO"),
        (folder(STATUS), "is a folder"),
        (hard_link(STATUS, "nothing"), "is a hard link to no file"),
    ],
)
def test_Y14_what_is_no_file(entry: Entry, why: str) -> None:
    assert whole(layer(entry)).find(STATUS).why == why
    assert data(whole(layer(entry))) is not State.ABSENT


def test_Y14_a_hard_link_to_an_earlier_member_and_to_a_lower_layer() -> None:
    link = hard_link(STATUS, "opt/status")
    assert data(whole(layer(file("opt/status"), link))) == b"data"
    assert data(whole(layer(file("opt/status")), layer(link))) == b"data"
    moved = whole(layer(file("opt/status")), layer(link), layer(file("opt/status", "new")))
    assert data(moved) == b"data"  # the old file keeps its other name


def test_Y14_a_hard_link_to_what_was_not_taken_says_where_that_is() -> None:
    image = whole(layer(symlink("opt", "srv"), hard_link(STATUS, "opt/status")))
    assert image.find(STATUS).real == "srv/status"
    image = whole(layer(Entry("opt/status", Kind.FILE), hard_link(STATUS, "opt/status")))
    assert (image.find(STATUS).data, image.find(STATUS).real) == (None, "opt/status")


def test_a_dangling_link_is_absent_at_its_end() -> None:
    spot = whole(layer(symlink(STATUS, "/opt/../srv/./a/b"))).find(STATUS)
    assert (spot.state, spot.real, spot.linked) == (State.ABSENT, "srv/a/b", True)


def test_what_lower_layers_may_have_is_unknown() -> None:
    assert data(upper()) is State.UNKNOWN
    assert data(upper(layer(file("var/lib/dpkg/status.d/x")))) is State.UNKNOWN
    assert data(upper(layer(folder("var/lib/dpkg")))) is State.UNKNOWN
    assert data(upper(layer(file(STATUS)))) == b"data"
    assert data(upper(layer(symlink(STATUS, "x")))) is State.UNKNOWN
    assert data(upper(layer(hard_link(STATUS, "x")))) is State.UNKNOWN


@pytest.mark.parametrize(
    "gone",
    [
        layer(hidden=STATUS),
        layer(hidden="var"),
        layer(emptied="var/lib"),
        layer(emptied=""),
        layer(Entry("var", Kind.OTHER), folder("var")),
    ],
)
def test_what_is_taken_away_is_known_to_be_absent(gone: Contents) -> None:
    assert data(upper(gone)) is State.ABSENT
    assert data(upper(gone, layer(folder("var/lib/dpkg")))) is State.ABSENT
    assert data(upper(gone, layer(file("var/lib/dpkg/x")))) is State.ABSENT


def test_a_layer_that_cannot_be_read_hides_what_is_known_of_those_below() -> None:
    image = whole(layer(file(STATUS)), None, layer(file("lib/x")))
    assert data(image) is State.UNKNOWN
    assert image.is_blind
    assert data(whole(None, layer(file(STATUS)))) == b"data"


def test_a_folder_says_what_is_in_it_and_whether_that_is_all() -> None:
    image = upper(layer(file("d/a"), file("d/b"), folder("d/c")), layer(hidden="d/a"))
    assert image.find("d").names == {"b", "c"}
    assert not image.find("d").knows_all
    assert whole(layer(file("d/a"))).find("d").knows_all


def test_names_that_are_not_utf_8() -> None:
    path = normalised(b"var/lib/dpkg/status.d/\xff\xfe")
    assert data(whole(layer(file(path))), path) == b"data"


def test_deep_paths_do_not_recurse() -> None:
    deep = "/".join(["d"] * 2000)
    assert data(whole(layer(file(deep))), deep) == b"data"
    assert (
        data(whole(layer(symlink("l", f"{deep}/../d")), layer(file(f"{deep}/x"))), "l/x") == b"data"
    )
