"""Versions sort as their distribution sorts them; fixtures/inventory/versions.toml has the rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from pinner.inventory.model import Ecosystem
from pinner.inventory.versions import key
from support.tables import params


@pytest.mark.parametrize("row", params("inventory/versions.toml"))
def test_chain(row: dict[str, Any]) -> None:
    ecosystem = Ecosystem(row["ecosystem"])
    chain = [step.split(" = ") for step in row["chain"]]
    for same in chain:
        assert {
            version: key(ecosystem, version) == key(ecosystem, same[0]) for version in same
        } == (dict.fromkeys(same, True))
    wrong = [
        (lower, higher)
        for lower, higher in combinations([same[0] for same in chain], 2)
        if not key(ecosystem, lower) < key(ecosystem, higher)
    ]
    assert wrong == []


@pytest.mark.parametrize("ecosystem", Ecosystem)
def test_P04_a_long_version_costs_little(ecosystem: Ecosystem) -> None:
    """As an int, a number of this many digits is refused by Python, and slow before that."""
    assert key(ecosystem, "1." + "9" * 100_000) > key(ecosystem, "1." + "9" * 99_999)
