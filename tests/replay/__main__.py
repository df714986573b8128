"""`make replay`: two years of ten official images, pinner beside the age rules of two bots.

Writes fixtures/replay/results.json, and from it the tables in docs/updates.md and their picture.
Options: --dry (write nothing).
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from replay import plot, record, report, results
from replay.course import Replay, load_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replay.results import Row

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs/updates.md"
PICTURE: Final = ROOT / "docs/images/replay.svg"


def main(arguments: Sequence[str]) -> None:
    """Replay everything and write what came of it."""
    parser = argparse.ArgumentParser(prog="make replay", description=__doc__)
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    spec, steps = load_spec(), record.load()
    sys.stderr.write(f"{len(spec.entries)} entries, {len(steps)} changes of the record\n")
    replay = Replay(spec, steps)
    rows = []
    for course in results.COURSES:
        rows.append(results.row(course, replay.run(course)))
        sys.stderr.write(f"{_line(rows[-1])}\n")
    sys.stdout.write(f"{report.render(rows)}\n")
    sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")
    if not options.dry:
        results.RESULTS.write_text(results.dumps(rows), encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(report.placed(page, report.render(rows)), encoding="utf-8")
        PICTURE.write_text(plot.draw(rows), encoding="utf-8")


def _line(row: Row) -> str:
    return (
        f"{row.tool:10} minimum-age {row.minimum_age}d, {row.dates.lower():7}, every {row.every} d"
        f"{', rebuilt nightly' if row.nightly else ''}: {row.updates} updates, lag {row.mean} d,"
        f" worst {row.worst} d, {len(row.starved)} starve"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
