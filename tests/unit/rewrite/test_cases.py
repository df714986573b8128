"""Every case of fixtures/rewrite by the kind of its folder; Dockerfiles have their own test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.rewrite.kinds import kind_named
from support.rewriting import cases, check, kinds_with_cases

if TYPE_CHECKING:
    from support.rewriting import Case


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, case.values[0], id=f"{kind}-{case.id}")
        for kind in kinds_with_cases()
        for case in cases(kind)
    ],
)
def test_every_place_gets_its_digest(kind: str, case: Case) -> None:
    check(case, kind_named(kind).read)
