"""The table of Dockerfiles that tools read differently, row by row: the truth is BuildKit."""

from __future__ import annotations

import pytest

from support.dockerfiles import Case, listed, params, read
from support.rewriting import pinned


@pytest.mark.parametrize("case", params("row-"))
def test_a_row_of_the_table(case: Case) -> None:
    assert listed(case.before) == case.found
    assert pinned(case.before, read).decode("latin-1") == case.expected.decode("latin-1")
    assert pinned(case.expected, read) == case.expected
