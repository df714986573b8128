"""The fault catalogue (fixtures/faults/catalogue.toml) and the tests that meet its faults.

    for fault in read_catalogue():
        fault.id, fault.outcome                    # R05, "2, before any URL is built"
    met(nodeids)["R05"]                            # the tests that carry the id, by pytest's names

A test carries an id in its function's name (`test_L14_two_locks_at_once`) or in the id of its
parameter (`R05-parent-inside`), alone or with others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from support.tables import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TITLES: Final = {
    "R": "references",
    "S": "images.toml",
    "L": "images.lock",
    "M": "manifests and indexes",
    "B": "blobs",
    "A": "logins",
    "D": "redirects",
    "H": "HTTP and the network",
    "T": "the store and the disk",
    "Y": "layers, read for their packages",
    "P": "package databases",
    "F": "files that are rewritten",
    "O": "what is printed",
    "W": "the store, served",
    "V": "signatures",
}
SECTIONS: Final = "".join(TITLES)
COMMAND_LINE: Final = "tests/cli/test_faults_"
"""Where tests meet faults as a user does, under the whole oracle of `support.oracle`."""

COLLECTED: Final = pytest.StashKey[tuple[str, ...]]()
"""The names of all tests that a run has found, before -k and -m choose among them."""

_ID: Final = re.compile(rf"(?<![A-Za-z0-9])[{SECTIONS}][0-9]{{2}}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A row of the catalogue; the file says what each part means."""

    id: str
    fault: str
    outcome: str
    differs: str = ""
    below: str = ""


def read_catalogue() -> tuple[Fault, ...]:
    """Every fault, in order."""
    return tuple(Fault(**row) for row in read_rows("faults/catalogue.toml"))


def met(nodeids: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The tests that carry each id, by `tests/…/test_file.py::test_name[parameters]`."""
    found: dict[str, list[str]] = defaultdict(list)
    for nodeid in nodeids:
        name = nodeid.partition("::")[2].replace("_", " ")
        for fault in dict.fromkeys(_ID.findall(name)):
            found[fault].append(nodeid)
    return {fault: tuple(tests) for fault, tests in found.items()}
