"""What a long run came to, a row a target, in fixtures/fuzz/results.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from fuzz.seeds import CORPUS

RESULTS: Final = CORPUS / "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A target's run.

    Attributes:
        target: its name.
        seconds: of the run, by the clock.
        executed: inputs that were run.
        edges: of pinner's code that they reached; 0 without coverage.
        seeds: inputs that the run began with.
        new: inputs that reached something new and were kept for the next run.
        checksum: of all inputs in their order: equal ones tell that two runs were the same.
        failures: names of what was found.
    """

    target: str
    seconds: int
    executed: int
    edges: int
    seeds: int
    new: int
    checksum: int = 0
    failures: tuple[str, ...] = ()


def dumps(rows: list[Row]) -> str:
    """The text of results.json: one line a row."""
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    return f"[\n{lines}\n]\n"


def load() -> list[Row]:
    """What the last long run came to."""
    return [
        Row(**{**row, "failures": tuple(row["failures"])})
        for row in json.loads(RESULTS.read_text(encoding="utf-8"))
    ]
