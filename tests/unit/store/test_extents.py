from __future__ import annotations

import pytest

from pinner.store.extents import Extents


def extents(*runs: tuple[int, int]) -> Extents:
    found = Extents()
    for start, end in runs:
        assert found.add(start, end)
    return found


@pytest.mark.parametrize(
    ("added", "runs"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([(3, 3)], [], id="empty piece"),
        pytest.param([(0, 4), (4, 9)], [(0, 9)], id="in order"),
        pytest.param([(4, 9), (0, 4)], [(0, 9)], id="joins right"),
        pytest.param([(0, 2), (4, 6), (2, 4)], [(0, 6)], id="joins both"),
        pytest.param([(0, 2), (8, 9), (4, 6)], [(0, 2), (4, 6), (8, 9)], id="between"),
    ],
)
def test_disjoint_pieces_merge(added: list[tuple[int, int]], runs: list[tuple[int, int]]) -> None:
    found = extents(*added)
    assert list(found) == runs
    assert found.total == sum(end - start for start, end in runs)
    assert found.end == (runs[-1][1] if runs else 0)


@pytest.mark.parametrize("piece", [(0, 1), (2, 4), (3, 5), (5, 7), (1, 20), (9, 10), (7, 3)])
def test_a_piece_that_overlaps_or_runs_backwards_is_refused(piece: tuple[int, int]) -> None:
    found = extents((0, 4), (6, 10))
    assert not found.add(*piece)
    assert list(found) == [(0, 4), (6, 10)]
    assert found.total == 8


@pytest.mark.parametrize(
    ("position", "end"), [(0, 4), (3, 4), (4, 4), (5, 5), (6, 10), (9, 10), (10, 10), (11, 11)]
)
def test_run_end(position: int, end: int) -> None:
    assert extents((0, 4), (6, 10)).run_end(position) == end


@pytest.mark.parametrize(
    ("runs", "gaps"),
    [
        ([], ((0, 10),)),
        ([(0, 10)], ()),
        ([(0, 3), (5, 10)], ((3, 5),)),
        ([(2, 3)], ((0, 2), (3, 10))),
    ],
)
def test_gaps(runs: list[tuple[int, int]], gaps: tuple[tuple[int, int], ...]) -> None:
    assert extents(*runs).gaps(10) == gaps


def test_there_is_no_gap_in_an_empty_blob() -> None:
    assert Extents().gaps(0) == ()


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\n0 5\n\n5 9\n", [(0, 9)], id="two appends"),
        pytest.param(b"\n0 5\n\n10 2", [(0, 5)], id="torn tail"),
        pytest.param(b"\n0 5\n\n10 2\n7 9\n", [(0, 5), (7, 9)], id="torn, then appended"),
        pytest.param(b"\n0 5\n\0\0\0\0\n6 7\n", [(0, 5), (6, 7)], id="zeros of a power cut"),
        pytest.param(b"\n0 5\n3 8\n", [(0, 5)], id="overlap"),
        pytest.param(b"\n0 5 6\n-1 4\n+1 4\n 1 4\nx\n", [], id="not extents"),
        pytest.param(b"\n0 99999999999999999999\n", [], id="absurd number"),
    ],
)
def test_T13_a_damaged_journal_says_less_never_more(
    text: bytes, runs: list[tuple[int, int]]
) -> None:
    assert list(Extents.loads(text)) == runs


def test_T13_a_journal_cut_at_every_byte() -> None:
    whole = extents((0, 1048576)).dumps() + extents((1048576, 2097152), (9000000, 9000001)).dumps()
    for length in range(len(whole) + 1):
        for start, end in Extents.loads(whole[:length]):
            assert end <= 2097152 or (start, end) == (9000000, 9000001)
