"""Every case of fixtures/rewrite, each read by the kind that its folder is named after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.rewrite.kinds import KINDS, kind_named
from support.rewriting import FOLDER, cases, check

if TYPE_CHECKING:
    from support.rewriting import Case

WITH_CASES = sorted({kind.name for kind in KINDS if (FOLDER / kind.name).exists()})


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, case.values[0], id=f"{kind}-{case.id}")
        for kind in WITH_CASES
        for case in cases(kind)
    ],
)
def test_every_place_gets_its_digest(kind: str, case: Case) -> None:
    check(case, kind_named(kind).read)
