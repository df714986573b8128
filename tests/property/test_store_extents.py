from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pinner.store.extents import Extents

SIZE = 60
PIECES = st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)), max_size=30)


@given(PIECES)
def test_extents_are_a_set_of_offsets_that_takes_each_once(pieces: list[tuple[int, int]]) -> None:
    found, model = Extents(), set[int]()
    for start, end in pieces:
        offsets = set(range(start, end))
        fits = start <= end and not offsets & model
        assert found.add(start, end) is fits
        if fits:
            model |= offsets
    assert {offset for run in found for offset in range(*run)} == model
    assert found.total == len(model)
    assert {o for gap in found.gaps(SIZE) for o in range(*gap)} == set(range(SIZE)) - model
    runs = list(found)
    assert all(end < start for (_, end), (start, _) in itertools.pairwise(runs))
    for position in range(SIZE + 1):
        reached = found.run_end(position)
        assert set(range(position, reached)) <= model
        assert reached not in model or reached < position


@given(PIECES)
def test_a_journal_round_trips(pieces: list[tuple[int, int]]) -> None:
    found = Extents()
    journal = b""
    for start, end in pieces:
        if found.add(start, end):
            part = Extents()
            part.add(start, end)
            journal += part.dumps()
    assert list(Extents.loads(journal)) == list(found)
    assert list(Extents.loads(found.dumps())) == list(found)


@given(PIECES, st.integers(0, 400), st.binary(max_size=20))
def test_a_torn_journal_claims_nothing_that_was_not_written(
    pieces: list[tuple[int, int]], cut: int, garbage: bytes
) -> None:
    found = Extents()
    for piece in pieces:
        found.add(*piece)
    rest = Extents()
    rest.add(SIZE + 1, SIZE + 9)
    torn = found.dumps()[:cut]
    written = {o for run in found for o in range(*run)} | set(range(SIZE + 1, SIZE + 9))
    read = Extents.loads(torn + rest.dumps())
    assert {o for run in read for o in range(*run)} <= written
    Extents.loads(torn + garbage)  # whatever is on the disk, it is read without an error
