from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.serve.ranges import Part, Unsatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        pytest.param("bytes=0-0", 0, 1, id="first-byte"),
        pytest.param("bytes=2-4", 2, 5, id="closed"),
        pytest.param("bytes=2-", 2, 10, id="open"),
        pytest.param("bytes=-3", 7, 10, id="suffix"),
        pytest.param("bytes=-99", 0, 10, id="suffix-longer-than-all"),
        pytest.param("bytes=8-99", 8, 10, id="end-beyond-all"),
        pytest.param("bytes=8-99999999999999999999999", 8, 10, id="end-beyond-64-bits"),
        pytest.param(" bytes=1-2 ", 1, 3, id="padded"),
    ],
)
def test_W04_a_single_range(header: str, start: int, stop: int) -> None:
    part = parse_range(header, 10)
    assert part == Part(start, stop, 10)
    assert part is not None
    assert part.content_range == f"bytes {start}-{stop - 1}/10"
    assert part.length == stop - start


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=4-2",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "bytes=0-1, 3-4",
        "items=0-1",
        "BYTES=0-1",
        "bytes=٣-٤",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=0\n-1",
    ],
)
def test_W04_what_is_no_single_range_means_the_whole(header: str) -> None:
    assert parse_range(header, 10) is None


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("bytes=10-", 10),
        ("bytes=10-20", 10),
        ("bytes=-0", 10),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-5", 0),
    ],
)
def test_W04_a_range_without_a_byte_inside(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        parse_range(header, size)


@given(st.binary(min_size=1, max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_a_part_is_the_slice_that_python_would_take(data: bytes, first: int, last: int) -> None:
    try:
        part = parse_range(f"bytes={first}-{last}", len(data))
    except Unsatisfiable:
        assert data[first:] == b""
        return
    if part is None:
        assert last < first
    else:
        assert data[part.start : part.stop] == data[first : last + 1] != b""
