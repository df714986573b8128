"""The fault catalogue and the tests agree: each fault is met."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docpages import faults
from support.catalogue import COLLECTED, COMMAND_LINE, SECTIONS, Fault, met, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

TESTS = Path(__file__).parent
FAULTS = read_catalogue()
BELOW = "TYPOW"
"""Sections whose faults may be met below the command line: by forging a store's files, layers and
databases, by calling renderers, and by speaking HTTP to the server."""


@pytest.fixture
def tests(request: pytest.FixtureRequest) -> Mapping[str, tuple[str, ...]]:
    """The tests that carry each id, of the whole suite."""
    nodeids = request.config.stash[COLLECTED]
    files = {nodeid.partition("::")[0] for nodeid in nodeids}
    all_files = {str(path.relative_to(TESTS.parent)) for path in TESTS.rglob("test_*.py")}
    if all_files - files:
        pytest.skip("only the whole suite knows all of its tests")
    return met(nodeids)


def test_ids_are_unique_and_in_order() -> None:
    ids = [fault.id for fault in FAULTS]
    assert ids == sorted(set(ids), key=lambda id_: (SECTIONS.index(id_[0]), id_))


def test_every_row_says_what_happens_and_what_pinner_does() -> None:
    assert not [fault.id for fault in FAULTS if not fault.fault or not fault.outcome]


def test_every_fault_is_met(tests: Mapping[str, tuple[str, ...]]) -> None:
    assert not [fault.id for fault in FAULTS if fault.id not in tests]


def test_no_reason_has_outlived_its_fault(tests: Mapping[str, tuple[str, ...]]) -> None:
    """`below` is for what no test of the command line meets."""
    assert not [fault.id for fault in FAULTS if fault.below and at_the_command_line(fault, tests)]


def test_every_fault_is_met_at_the_command_line(tests: Mapping[str, tuple[str, ...]]) -> None:
    assert not [
        fault.id
        for fault in FAULTS
        if fault.id[0] not in BELOW and not fault.below and not at_the_command_line(fault, tests)
    ]


def test_no_test_carries_an_unknown_id(tests: Mapping[str, tuple[str, ...]]) -> None:
    known = {fault.id for fault in FAULTS}
    assert not {id_: names for id_, names in tests.items() if id_ not in known}


def test_the_page_shows_the_catalogue_and_its_tests(tests: Mapping[str, tuple[str, ...]]) -> None:
    """`make docs` writes it."""
    shown = faults.PAGE.read_text(encoding="utf-8")
    assert shown == faults.page(shown, FAULTS, tests)


def test_the_ids_of_a_name() -> None:
    names = [
        "tests/a.py::test_L14_two_locks[H09-R05]",
        "tests/b.py::test_x[D05-M10, twice]",
        "tests/R01.py::test_XR02_R3_r04_R055",
    ]
    assert Counter({id_: len(found) for id_, found in met(names).items()}) == Counter(
        ["L14", "H09", "R05", "D05", "M10"]
    )


def at_the_command_line(fault: Fault, tests: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a test under the whole oracle carries it."""
    return any(nodeid.startswith(COMMAND_LINE) for nodeid in tests.get(fault.id, ()))
