"""What the campaign came to, as fixtures/campaign/results.json keeps it."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from campaign.kills import SEED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS: Final = Path(__file__).resolve().parents[2] / "fixtures/campaign/results.json"
PARTS: Final = ("kills", "calls", "disks", "power cuts", "many", "rot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One part on one command.

    Attributes:
        name: `part: command`.
        seconds: that it took, summed over its shards.
        counts: how often what happened.
        failures: what must never happen, and did.
    """

    name: str
    seconds: int
    counts: Mapping[str, int]
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All rows, and where they come from."""

    machine: str
    seed: int
    rows: tuple[Row, ...]

    def row(self, name: str) -> Row:
        """The row of this name; an empty one where that part was never run."""
        found = [row for row in self.rows if row.name == name]
        return found[0] if found else Row(name=name, seconds=0, counts={})


def part_of(name: str) -> str:
    """The part that a row belongs to."""
    return name.partition(": ")[0]


def collect(rows: Sequence[Row]) -> Results:
    """The rows, as results of this machine."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    version = ".".join(platform.python_version_tuple()[:2])
    return Results(
        machine=f"{machine}, Python {version}",
        seed=SEED,
        rows=tuple(sorted(rows, key=lambda row: row.name)),
    )


def dumps(results: Results) -> str:
    """The text of results.json: one line a row."""
    document = asdict(results)
    rows = ",\n".join(json.dumps(row) for row in document.pop("rows"))
    head = json.dumps(document)[:-1]
    return f'{head}, "rows": [\n{rows}\n]}}\n'


def load() -> Results:
    """What the last campaign came to; nothing where none was run."""
    if not RESULTS.exists():
        return collect(())
    document = json.loads(RESULTS.read_text(encoding="utf-8"))
    rows = [Row(**{**row, "failures": tuple(row["failures"])}) for row in document.pop("rows")]
    return Results(**document, rows=tuple(rows))
