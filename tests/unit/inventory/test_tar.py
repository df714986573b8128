"""Section Y of the fault catalogue, as far as it is about tar: Y07 to Y13, Y16 to Y18."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from pinner.inventory import tar
from pinner.inventory.tar import Member, Tar
from pinner.inventory.unreadable import Unreadable
from support import tars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def members(*data: bytes, wanted: bool = True) -> list[Member]:
    return list(Tar(data, lambda _name, _size: wanted))


def names(*data: bytes) -> list[bytes]:
    return [member.name for member in members(*data)]


def why(*data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        members(*data)
    return str(caught.value)


def test_a_file_has_its_data() -> None:
    (found,) = members(tars.archive(tars.member(b"a/b", b"data")))
    assert found == Member(b"a/b", tar.FILE, b"", 4, sparse=False, data=b"data")


def test_data_that_is_not_wanted_is_skipped() -> None:
    data = tars.archive(tars.member(b"a", b"x" * 1000), tars.member(b"b", b"y"))
    found = members(data, wanted=False)
    assert [(each.name, each.size, each.data) for each in found] == [
        (b"a", 1000, None),
        (b"b", 1, None),
    ]


def test_only_members_of_interest_come() -> None:
    data = tars.archive(tars.member(b"a", b"x"), tars.member(b"b", b"y"))
    found = Tar([data], lambda _name, _size: True, lambda name: name == b"b")
    assert [each.data for each in found] == [b"y"]


def test_a_ustar_prefix_stands_before_the_name() -> None:
    assert names(tars.archive(tars.header(b"name", prefix=b"folder/sub"))) == [b"folder/sub/name"]


def test_a_gnu_header_has_no_prefix() -> None:
    """There its place holds times (GNU tar manual, "Basic Tar Format")."""
    assert names(tars.archive(tars.header(b"name", prefix=b"1234", magic=tars.GNU))) == [b"name"]


def test_a_name_may_fill_its_field() -> None:
    assert names(tars.archive(tars.header(b"n" * 100))) == [b"n" * 100]


def test_gnu_long_names() -> None:
    found = members(
        tars.archive(
            tars.long_name(b"n" * 300),
            tars.long_name(b"t" * 200, b"K"),
            tars.header(b"short", kind=b"2", link=b"l", magic=tars.GNU),
            tars.member(b"next"),
        )
    )
    assert [(each.name, each.link) for each in found] == [
        (b"n" * 300, b"t" * 200),
        (b"next", b""),
    ]


def test_pax_path_link_and_size() -> None:
    records = (
        tars.record(b"path", b"p" * 300),
        tars.record(b"linkpath", b"target"),
        tars.record(b"size", b"600"),
    )
    found = members(
        tars.archive(tars.pax(*records) + tars.header(b"short") + tars.padded(b"d" * 600))
    )
    assert [(each.name, each.link, each.data) for each in found] == [
        (b"p" * 300, b"target", b"d" * 600)
    ]


def test_solaris_has_its_own_flag_for_pax_headers() -> None:
    head = tars.pax(tars.record(b"path", b"long"), kind=b"X")
    assert names(tars.archive(head, tars.member(b"short"))) == [b"long"]


def test_a_header_without_a_name_is_not_the_end() -> None:
    head = tars.pax(tars.record(b"path", b"long"))
    assert names(tars.archive(head, tars.header(b""), tars.member(b"next"))) == [b"long", b"next"]


def test_of_several_pax_headers_the_last_counts_and_empty_values_do_not() -> None:
    heads = (
        tars.pax(tars.record(b"path", b"first"), tars.record(b"size", b"9")),
        tars.pax(
            tars.record(b"path", b""), tars.record(b"linkpath", b""), tars.record(b"size", b"")
        ),
    )
    found = members(tars.archive(*heads, tars.symlink(b"own", b"target")))
    assert [(each.name, each.link, each.size) for each in found] == [(b"own", b"target", 0)]


def test_a_gnu_long_name_goes_before_a_pax_path() -> None:
    heads = (tars.long_name(b"gnu"), tars.pax(tars.record(b"path", b"pax")))
    for order in (heads, heads[::-1]):
        assert names(tars.archive(*order, tars.member(b"own"))) == [b"gnu"]


def test_a_global_header_applies_to_nothing_and_is_a_flaw_where_it_could() -> None:
    data = tars.archive(
        tars.pax(tars.record(b"path", b"other"), kind=b"g"), tars.member(b"own", b"x")
    )
    found = Tar([data], lambda _name, _size: True)
    assert [each.name for each in found] == [b"own"]
    assert found.flaws == ["a global header names a path, a link or a size: not applied"]


def test_a_global_comment_is_no_flaw() -> None:
    """`git archive` writes one."""
    data = tars.archive(tars.pax(tars.record(b"comment", b"4f2a"), kind=b"g"), tars.member(b"a"))
    found = Tar([data], lambda _name, _size: True)
    assert [each.name for each in found] == [b"a"]
    assert found.flaws == []


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6"])
def test_what_has_no_data_is_followed_by_the_next_header(kind: bytes) -> None:
    data = tars.header(b"a", size=512, kind=kind) + tars.archive(tars.member(b"b"))
    assert [(each.name, each.size) for each in members(data)] == [(b"a", 0), (b"b", 0)]


def test_base_256_sizes() -> None:
    field = b"\x80" + (600).to_bytes(11, "big")
    data = tars.header(b"a", size_field=field) + tars.padded(b"d" * 600)
    assert [each.data for each in members(tars.archive(data))] == [b"d" * 600]


@pytest.mark.parametrize(
    ("field", "size"),
    [
        (b"00000000012\x00", 10),
        (b"         12\x00", 10),
        (b"12          ", 10),
        (b"000000000012", 10),
        (b"\x00" * 12, 0),
        (b" " * 12, 0),
        (b"12\x00garbage!!", 10),
    ],
)
def test_octal_sizes(field: bytes, size: int) -> None:
    data = tars.header(b"a", size_field=field) + tars.padded(b"x" * size)
    assert [each.size for each in members(data + tars.END)] == [size]


@pytest.mark.parametrize(
    "field",
    [
        b"0o000000012\x00",
        b"-0000000012\x00",
        b"+12\x00",
        b"1_2\x00",
        b"8\x00",
        b"12 34\x00",
        b"size\x00",
    ],
)
def test_sizes_that_are_no_octal_numbers(field: bytes) -> None:
    assert why(tars.header(b"a", size_field=field.ljust(12, b"\x00")) + tars.END) == (
        "a size is not a number"
    )


# A hostile pax header for CPython's expression (CVE-2024-6232): digits and blanks without end.
PAX_REDOS = b"1" * 200_000


def test_Y07_a_pax_header_of_digits_is_malformed_at_once() -> None:
    assert why(tars.pax(PAX_REDOS), tars.member(b"a")) == "a pax header is malformed"


@pytest.mark.parametrize(
    "records",
    [
        b"6 a=b",
        b"99 path=x\n",
        b"0 path=x\n",
        b"-9 path=x\n",
        b"9 path x\n",
        b"9 path=x ",
        b"path=x\n",
        b"5 =x\n",
        b"\x00",
        b"5 a=\n\n",
    ],
)
def test_Y07_malformed_pax_records(records: bytes) -> None:
    assert why(tars.pax(records), tars.archive(tars.member(b"a"))) == "a pax header is malformed"


@pytest.mark.parametrize("field", [b"\xff" * 10 + b"\xfc\x00", b"\xff" * 12, b"\xc0" + bytes(11)])
def test_Y08_a_negative_base_256_size(field: bytes) -> None:
    assert why(tars.header(b"a", size_field=field) + tars.END) == "a size is negative"


@pytest.mark.parametrize("value", [b"-1024", b"-512", b"1e3", b"0x10", b" 12", "١٢".encode()])
def test_Y08_a_pax_size_that_is_no_number(value: bytes) -> None:
    data = tars.archive(tars.pax(tars.record(b"size", value)), tars.member(b"a"))
    assert why(data) == "a size in a pax header is not a number of bytes"


def test_Y08_a_size_beyond_any_file() -> None:
    assert why(tars.header(b"a", size_field=b"\x80" + b"\x7f" * 11)) == "a size is too large"


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_Y09_an_extension_header_is_capped_before_it_is_read(kind: bytes) -> None:
    size = 400 * 1024**2

    def chunks() -> Iterator[bytes]:
        yield tars.header(b"long", size=size, kind=kind, magic=tars.GNU)
        raise AssertionError("its data was read")

    with pytest.raises(Unreadable, match=f"an extension header has {size} bytes, more than"):
        list(Tar(chunks(), lambda _name, _size: True))


def test_Y10_members_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "MEMBER_LIMIT", 3)
    data = [tars.member(b"a") for _ in range(3)]
    assert len(members(tars.archive(*data))) == 3
    assert why(tars.archive(*data, tars.member(b"a"))) == "it has more than 3 members"


def test_Y10_members_leave_nothing_in_memory() -> None:
    block = b"".join(tars.member(b"tiny%d" % number) for number in range(1000))

    def peak(repeats: int) -> int:
        tracemalloc.start()
        for _ in Tar((block for _ in range(repeats)), lambda _name, _size: True):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)  # whatever the first time costs
    assert peak(100) < peak(10) + 64 * 1024


def sparse(name: bytes, data: bytes, *, blocks: int) -> bytes:
    """An old GNU sparse file: `blocks` more of its map follow the header."""
    flag = b"\x01" if blocks else b"\x00"
    tail = flag + b"%011o\x00" % (1 << 32) + bytes(17)
    head = tars.header(name, size=len(data), kind=b"S", magic=tars.GNU, tail=tail)
    more = [bytes(504) + bytes([number < blocks - 1]) + bytes(7) for number in range(blocks)]
    return head + b"".join(more) + tars.padded(data)


@pytest.mark.parametrize("blocks", [0, 1, 480])  # 480 hold the 10,000 entries of the catalogue
def test_Y11_an_old_sparse_file_is_passed_over(blocks: int) -> None:
    data = tars.archive(sparse(b"big", b"d" * 700, blocks=blocks), tars.member(b"next"))
    assert [(each.name, each.kind, each.sparse, each.data) for each in members(data)] == [
        (b"big", tar.FILE, True, None),
        (b"next", tar.FILE, False, b""),
    ]


def test_Y11_a_map_without_end() -> None:
    def chunks() -> Iterator[bytes]:
        yield sparse(b"big", b"", blocks=1)[:512]
        while True:
            yield bytes(504) + b"\x01" + bytes(7)

    with pytest.raises(Unreadable, match="the map of a sparse file is too long"):
        list(Tar(chunks(), lambda _name, _size: True))


def test_Y11_a_pax_sparse_file_has_its_real_name() -> None:
    head = tars.pax(
        tars.record(b"GNU.sparse.major", b"1"),
        tars.record(b"GNU.sparse.name", b"real"),
        tars.record(b"GNU.sparse.realsize", b"9" * 18),
    )
    data = tars.archive(head, tars.member(b"GNUSparseFile.0/real", b"1\n0\n1\n"), tars.member(b"b"))
    assert [(each.name, each.sparse, each.data) for each in members(data)] == [
        (b"real", True, None),
        (b"b", False, b""),
    ]


@pytest.mark.parametrize("data", [b"", bytes(512), bytes(1024**2)])
def test_Y12_nothing_and_zeros_are_an_empty_archive(data: bytes) -> None:
    assert members(data) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tars.member(b"a", b"x" * 600)[:300], "it ends within a header"),
        (tars.member(b"a", b"x" * 600)[:600], "it ends within a member"),
        (tars.member(b"a", b"x" * 600)[:1200], "it ends within a member"),
        (tars.pax(tars.record(b"path", b"x"))[:515], "it ends within an extension header"),
        (tars.pax(tars.record(b"path", b"x")), "it ends behind an extension header"),
        (bytes(range(256)) * 2, "it is no tar"),
        (b"\x1f\x8b" + bytes(510), "it is no tar"),
    ],
)
def test_Y12_cut_and_random(data: bytes, reason: str) -> None:
    assert why(data) == reason


def test_Y12_a_cut_between_members_is_an_end() -> None:
    """GNU tar takes it silently, and so do Go and Python."""
    assert names(tars.member(b"a", b"x")) == [b"a"]


def test_Y12_one_block_of_zeros_ends_it_and_what_follows_is_a_flaw() -> None:
    found = Tar([tars.member(b"a"), bytes(512), tars.member(b"b")], lambda _name, _size: True)
    assert [each.name for each in found] == [b"a"]
    assert found.flaws == ["its end mark is a single block, with other bytes behind it"]


def test_Y12_all_bytes_behind_the_end_are_read() -> None:
    """So that the checksum behind them is checked."""
    read = []

    def chunks() -> Iterable[bytes]:
        for number, piece in enumerate([tars.archive(tars.member(b"a")), bytes(9000), b"rest"]):
            read.append(number)
            yield piece

    list(Tar(chunks(), lambda _name, _size: True))
    assert read == [0, 1, 2]


@pytest.mark.parametrize("name", [b"a\xffb", b"a\nb", b"a\x1b[31mb", "bücher".encode()])
def test_Y17_names_keep_their_bytes(name: bytes) -> None:
    assert names(tars.archive(tars.member(name))) == [name]
    assert names(tars.archive(tars.pax(tars.record(b"path", name)), tars.member(b"x"))) == [name]


def test_Y17_a_nul_ends_a_name_but_not_a_pax_path() -> None:
    assert names(tars.archive(tars.member(b"a\x00b"))) == [b"a"]
    head = tars.pax(tars.record(b"path", b"a\x00b"))
    assert names(tars.archive(head, tars.member(b"x"))) == [b"a\x00b"]


def test_Y18_a_wrong_checksum_stops_it() -> None:
    good = tars.member(b"a", b"x")
    bad = tars.header(b"b", checksum=b"000001\x00 ")
    assert why(bad + tars.END) == "it is no tar"
    assert why(good + bad + tars.END) == "the header at byte 1024 has a wrong checksum"


def test_Y18_a_checksum_that_is_off_by_the_checksums_modulus() -> None:
    """The sum is taken by Adler-32, which is modulo 65521: that must not show."""
    block = tars.header(b"\xff" * 100, link=b"\xff" * 100, prefix=b"\xff" * 155)
    total = int(block[148:154], 8)
    assert total > 65521
    assert names(block + tars.END) == [b"\xff" * 155 + b"/" + b"\xff" * 100]
    forged = block[:148] + b"%06o\x00 " % (total - 65521) + block[156:]
    assert why(forged + tars.END) == "it is no tar"


def test_Y18_a_signed_checksum_counts() -> None:
    name = b"\xe4\xf6"
    block = tars.header(name)
    total = sum(block[:148]) + 256 + sum(block[156:]) - 2 * 256
    assert names(tars.header(name, checksum=b"%06o\x00 " % total) + tars.END) == [name]


def test_Y18_V7_headers() -> None:
    data = tars.header(b"old", size=3, kind=b"\x00", magic=tars.V7) + tars.padded(b"abc")
    (found,) = members(data + tars.END)
    assert (found.kind, found.data) == (tar.FILE, b"abc")


def test_Y18_an_old_file_whose_name_ends_with_a_slash_is_a_folder_without_data() -> None:
    """As Go has it; also where the name comes from an extension (CVE-2025-13462 of Python)."""
    data = tars.header(b"old/", size=512, kind=b"\x00", magic=tars.V7)
    assert [(each.name, each.kind, each.size) for each in members(data + tars.END)] == [
        (b"old/", tar.FOLDER, 0)
    ]
    long = tars.long_name(b"l" * 150 + b"/") + tars.header(b"l", size=512, kind=b"\x00")
    assert [each.kind for each in members(long + tars.END)] == [tar.FOLDER]


def test_Y18_a_new_file_whose_name_ends_with_a_slash_is_a_file() -> None:
    (found,) = members(tars.archive(tars.member(b"new/", b"abc")))
    assert (found.kind, found.data) == (tar.FILE, b"abc")
