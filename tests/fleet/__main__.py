"""`make fleet`: images for 10,000 CI runners in a day, by eleven strategies.

Writes fixtures/fleet/results.json, and from it the tables in docs/fleet.md and their picture.
Options: --count (count requests of pinner and dockerd anew first), --dry (write nothing).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fleet import costs, plot, report, results
from fleet.estate import real_moves
from fleet.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs/fleet.md"
PICTURE: Final = ROOT / "docs/images/fleet.svg"


def main(arguments: Sequence[str]) -> None:
    """Simulate everything and write what came of it."""
    parser = argparse.ArgumentParser(prog="make fleet", description=__doc__)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    counted = _count() if options.count else costs.load()
    plan, moves = Plan(), real_moves()
    rows = []
    for row in results.simulate(plan, counted, moves):
        rows.append(row)
        sys.stderr.write(f"{row.day}: {row.strategy}\n")
    found = results.collect(plan, moves, tuple(rows))
    text = report.render(plan, counted, found)
    sys.stdout.write(f"{text}\n")
    sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")
    if not options.dry:
        costs.COSTS.write_text(costs.dumps(counted.rows), encoding="utf-8")
        results.RESULTS.write_text(results.dumps(found), encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(report.placed(page, text), encoding="utf-8")
        PICTURE.write_text(plot.draw(found.on_the_busiest_day()), encoding="utf-8")


def _count() -> costs.Costs:
    from fleet.counting import count_docker, count_pinner  # noqa: PLC0415 - needs servers

    with tempfile.TemporaryDirectory() as folder:
        rows = count_pinner(Path(folder, "pinner")) + count_docker(Path(folder, "docker"))
    return costs.Costs(tuple(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
