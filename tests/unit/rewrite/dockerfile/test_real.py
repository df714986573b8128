"""Dockerfiles in the shapes that public projects use, of our own making."""

from __future__ import annotations

import pytest

from support.dockerfiles import Case, listed, params, read
from support.rewriting import pinned


@pytest.mark.parametrize("case", params("real-"))
def test_a_file_of_a_project(case: Case) -> None:
    assert listed(case.before) == case.found
    assert pinned(case.before, read).decode("latin-1") == case.expected.decode("latin-1")
    assert pinned(case.expected, read) == case.expected


def test_there_are_forty_of_them() -> None:
    assert len(params("real-")) >= 40
