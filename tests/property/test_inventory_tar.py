"""Tar archives: any chunking gives the same, no bytes crash it, and others see the same members.

Y19: our list of members beside GNU tar's and that of Python's tarfile. Archives are made of members
in every format, and of damage. Where the lists differ, one of two rules below must say why.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from support import tars
from support.programs import require
from support.tarlists import Seen, gnu, ours, python

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = {"long": 10_000}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 200)

parts = st.one_of(
    st.sampled_from([b"var", b"lib", b"dpkg", b".", b"..", b"", b".wh.x", b"a b", b"\xff\xfe"]),
    st.binary(min_size=1, max_size=8).map(lambda raw: raw.replace(b"\0", b"_").replace(b"/", b"-")),
)
names = st.lists(parts, min_size=1, max_size=4).map(b"/".join).filter(lambda name: name != b"")
long_names = st.tuples(names, st.integers(0, 300)).map(lambda pair: pair[0] + b"n" * pair[1])
datas = st.binary(max_size=40) | st.integers(500, 1600).map(lambda size: b"d" * size)
magics = st.sampled_from([tars.USTAR, tars.GNU, tars.V7])


@st.composite
def plain(draw: st.DrawFn) -> bytes:
    """A member in one header."""
    kind = draw(st.sampled_from([b"0", b"\0", b"7", b"1", b"2", b"3", b"4", b"5", b"6"]))
    magic = draw(magics)
    data = draw(datas) if kind in b"0\x007" else b""
    prefix = draw(st.just(b"") | names)[:155] if magic == tars.USTAR else b""
    link = draw(names)[:100] if kind in b"12" else b""
    size = len(data)
    field = draw(
        st.sampled_from(
            [b"%011o\0" % size, b"%12o" % size, b"%o " % size, b"\x80" + size.to_bytes(11, "big")]
        )
    )
    name = draw(names)[:100]
    if kind == b"\0" and data:  # else it is an old folder with data, which GNU tar alone skips
        name = name.rstrip(b"/") or b"x"
    if magic == tars.V7 and kind in b"34567":
        kind = b"0"
        data, field = b"", bytes(12)
    head = tars.header(
        name, kind=kind, link=link, magic=magic, prefix=prefix, size_field=field.ljust(12, b"\0")
    )
    return head + tars.padded(data)


@st.composite
def extended(draw: st.DrawFn) -> bytes:
    """A member with extension headers in front of it."""
    kind = draw(st.sampled_from([b"0", b"1", b"2", b"5"]))
    data = draw(datas) if kind == b"0" else b""
    is_pax = draw(st.booleans())
    name, link = draw(long_names), draw(long_names) if kind in b"12" else b""
    heads = []
    if is_pax:
        records = [tars.record(b"mtime", b"1.5")]
        if draw(st.booleans()):
            records.append(tars.record(b"path", name))
        if link and draw(st.booleans()):
            records.append(tars.record(b"linkpath", link))
        if data and draw(st.booleans()):
            records.append(tars.record(b"size", b"%d" % len(data)))
        heads.append(tars.pax(*draw(st.permutations(records))))
    else:
        if draw(st.booleans()):
            heads.append(tars.long_name(name))
        if link and draw(st.booleans()):
            heads.append(tars.long_name(link, b"K"))
    if draw(st.booleans()):
        heads.insert(0, tars.pax(tars.record(b"comment", draw(st.binary(max_size=9))), kind=b"g"))
    head = tars.header(
        draw(names)[:100],
        size=len(data),
        kind=kind,
        link=draw(names)[:100] if kind in b"12" else b"",
        magic=tars.USTAR if is_pax else tars.GNU,
    )
    return b"".join(heads) + head + tars.padded(data)


# The first member has a plain name: tar and we look for gzip's magic before anything else.
members = st.lists(plain() | extended(), max_size=5).map(
    lambda found: b"".join([tars.member(b"first"), *found]) if found else b""
)
ends = st.sampled_from([tars.END, b"", bytes(512), bytes(10240), tars.END + b"behind"])
archives = st.tuples(members, ends).map(b"".join)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An archive that was cut, or in which bytes were changed."""
    data = bytearray(draw(archives))
    for at, value in draw(
        st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=2)
    ):
        if at < len(data):
            data[at] = value
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if start < end]


@given(damaged(), st.lists(st.integers(0, 6000), max_size=8))
def test_any_chunking_same_verdict(data: bytes, places: list[int]) -> None:
    assert ours(cut(data, places)) == ours([data] if data else [])


@given(archives)
def test_single_bytes_give_the_same(data: bytes) -> None:
    assert ours(bytes([byte]) for byte in data) == ours([data] if data else [])


@given(st.binary(max_size=2000))
def test_any_bytes_are_listed_or_refused(data: bytes) -> None:
    ours([data] if data else [])


@given(st.lists(st.binary(min_size=1, max_size=600), max_size=3), st.binary(max_size=100))
def test_any_pax_header_is_read_or_refused(pieces: list[bytes], rest: bytes) -> None:
    data = b"".join(tars.pax(piece) for piece in pieces) + tars.pax(rest) + tars.member(b"x")
    ours([data])


def as_gnu_tar_has_it(mine: Seen) -> Seen:
    """It takes every file whose name ends with a slash for a folder."""
    if mine.kind == "file" and mine.name.endswith(b"/"):
        return Seen(mine.name.rstrip(b"/"), "folder", b"")
    return mine


def as_tarfile_has_it(mine: Seen) -> Seen:
    """It takes the slashes off the end of every pax path."""
    return mine._replace(name=mine.name.rstrip(b"/"))


def unexplained(
    mine: list[Seen], theirs: list[Seen], explain: Callable[[Seen], Seen]
) -> list[tuple[Seen | None, Seen | None]]:
    """Members that differ for no known reason."""
    return [
        (one, other)
        for one, other in itertools.zip_longest(mine, theirs)
        if one != other and (one is None or explain(one) != other)
    ]


@settings(max_examples=EXAMPLES)
@given(archives)
def test_Y19_whole_archives_look_the_same_to_all(data: bytes) -> None:
    require("tar")
    seen, why = ours([data] if data else [])
    assert why == ""
    assert unexplained(seen, gnu(data), as_gnu_tar_has_it) == []
    assert unexplained(seen, python(data), as_tarfile_has_it) == []


@settings(max_examples=EXAMPLES)
@given(damaged())
def test_Y19_damaged_archives_look_the_same_up_to_where_we_stop(data: bytes) -> None:
    require("tar")
    seen, why = ours([data] if data else [])
    theirs = gnu(data)
    if why:
        assert unexplained(seen, theirs[: len(seen)], as_gnu_tar_has_it) == []
    else:
        assert unexplained(seen, theirs, as_gnu_tar_has_it) == []
        assert unexplained(seen, python(data), as_tarfile_has_it) == []
