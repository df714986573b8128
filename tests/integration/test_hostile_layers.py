"""Hostile layers, whole: section Y of the fault catalogue, in the process that reads packages.

Its limit of processor time is 10 s for small layers. Its limit of address space is lowered to 256
MiB here, so that an answer shows that neither was reached.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard

from pinner.inventory.isolation import Reader, compare_packages
from support import tars
from support.tars import gzip_layer, member, status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pinner.inventory.contents import Layer
    from pinner.inventory.model import PackageChanges

STATUS = b"var/lib/dpkg/status"
MIB = 1024**2
MODULES = "import sys; sys.path[:] = sys.argv[1:]; from pinner.inventory import child; "


def within_256_mib(before: Iterable[Layer], after: Iterable[Layer]) -> PackageChanges:
    return Reader(start=f"{MODULES}child.MEMORY = {256 * MIB}; child.main()")(
        tuple(before), tuple(after)
    )


def one_note(changes: PackageChanges) -> str:
    assert changes.changes == ()
    (note,) = changes.notes
    return note


def many_zeros(size: int) -> bytes:
    """gzip of this many zeros, made without having them."""
    writer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(MIB)
    return b"".join([*(writer.compress(block) for _ in range(size // MIB)), writer.flush()])


def zstd_zeros(size: int) -> bytes:
    writer = zstandard.ZstdCompressor().compressobj()
    block = bytes(MIB)
    return b"".join([*(writer.compress(block) for _ in range(size // MIB)), writer.flush()])


def hostile(tmp_path: Path, data: bytes) -> str:
    """The note about a hostile layer, without its name."""
    before = gzip_layer(tmp_path, member(STATUS, status(a="1")))
    note = one_note(within_256_mib([before], [tars.layer_of(tmp_path, data)]))
    return note.partition(", ")[2]


def in_gzip(*pieces: bytes) -> bytes:
    writer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*map(writer.compress, pieces), writer.flush()])


def test_Y01_ten_gigabytes_of_zeros_stop_at_the_cap(tmp_path: Path) -> None:
    start = gzip.compress(tars.header(b"x", size=10 * 1024**3), mtime=0)
    part = many_zeros(64 * MIB)
    assert hostile(tmp_path, start + part * 160) == (
        f"it has more than {4 * 1024**3} bytes when decompressed"
    )


def test_Y01_a_zstd_bomb_stops_at_the_ratio(tmp_path: Path) -> None:
    data = zstandard.compress(tars.header(b"x", size=10 * 1024**3)) + zstd_zeros(256 * MIB)
    assert hostile(tmp_path, data) == "it expands more than 1200 times"


def test_Y03_a_window_of_2_GiB(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = writer.compress(tars.archive(member(STATUS, b"x"))) + writer.flush()
    assert hostile(tmp_path, data) == "its zstd data needs too much memory"


def test_Y07_pax_headers_that_are_slow_to_match(tmp_path: Path) -> None:
    data = in_gzip(*[tars.pax(b"1" * 1_000_000)] * 50)
    assert hostile(tmp_path, data) == "a pax header is malformed"


def test_Y07_pax_headers_of_many_records(tmp_path: Path) -> None:
    records = tars.record(b"path", b"x") * (MIB // 10 - 1)
    data = in_gzip(
        *[tars.pax(records)] * 20, tars.member(b"x"), tars.header(b"y", checksum=b"1" * 8)
    )
    assert "wrong checksum" in hostile(tmp_path, data)


def test_Y08_a_negative_size(tmp_path: Path) -> None:
    data = in_gzip(tars.header(b"x", size_field=b"\xff" * 11 + b"\x00"))
    assert hostile(tmp_path, data) == "a size is negative"


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g"])
def test_Y09_an_extension_of_400_MB(kind: bytes, tmp_path: Path) -> None:
    size = 400 * MIB
    head = gzip.compress(tars.header(b"x", size=size, kind=kind), mtime=0)
    assert hostile(tmp_path, head + many_zeros(8 * MIB)) == (
        f"an extension header has {size} bytes, more than {MIB}"
    )


def test_Y10_a_million_members(tmp_path: Path) -> None:
    block = b"".join(member(b"usr/bin/tiny%d" % number) for number in range(1000))
    data = in_gzip(member(STATUS, status(a="1")), *[block] * 999, tars.END)
    layer = tars.layer_of(tmp_path, data)
    before = gzip_layer(tmp_path, member(STATUS, status(a="0")))
    changes = within_256_mib([before], [layer])
    assert [(each.name, each.after) for each in changes.changes] == [("a", "1")]
    assert changes.notes == ()


def test_Y10_as_many_that_matter_as_there_can_be(tmp_path: Path) -> None:
    names = (b"usr/share/doc/%d" % number for number in itertools.count())
    data = in_gzip(*(tars.symlink(name, b"x" * 90) for name in itertools.islice(names, 100_000)))
    assert hostile(tmp_path, data) == "it has too many files on the way to its databases"


def test_Y10_changelogs_behind_links_to_one_folder_are_bounded(tmp_path: Path) -> None:
    links = (tars.symlink(b"usr/share/doc/l%d" % number, b"x") for number in range(20_000))
    logs = (member(b"usr/share/doc/x/changelog.Debian.a%d" % number) for number in range(20_000))
    layer = tars.layer_of(tmp_path, in_gzip(*links, *logs, tars.END))
    before = gzip_layer(tmp_path, member(STATUS, status(a="0")))
    changes = within_256_mib([before], [layer])
    assert changes.notes == ()
    assert [(each.name, each.after) for each in changes.changes] == [("a", None)]


def test_Y11_a_sparse_database_of_exabytes(tmp_path: Path) -> None:
    entries = b"".join(b"%011o\x00%011o\x00" % (number * 512, 512) for number in range(4))
    tail = (entries + b"\x00" + b"\x80" + b"\x0f" * 11).ljust(512 - 386, b"\x00")
    head = tars.header(STATUS, size=512, kind=b"S", magic=tars.GNU, tail=tail)
    data = in_gzip(head, bytes(512), tars.END)
    assert hostile(tmp_path, data) == "which is not read"


def test_many_tiny_gzip_members(tmp_path: Path) -> None:
    tiny = gzip.compress(b"", mtime=0)
    assert hostile(tmp_path, tiny * 300_000) == "it has more than 200000 gzip members"


def test_a_database_of_the_largest_size(tmp_path: Path) -> None:
    stanza = status(a="1") + b"Description: " + b"x" * (MIB - 200)
    piece = stanza + b"\n" * (MIB - len(stanza))
    head = tars.header(STATUS, size=63 * MIB)
    big = tars.layer_of(tmp_path, in_gzip(head, *[piece] * 63, tars.END))
    before = gzip_layer(tmp_path, member(STATUS, status(a="0")))
    changes = compare_packages([before], [big])
    assert [(each.name, each.after) for each in changes.changes] == [("a", "1")]
