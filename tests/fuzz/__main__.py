"""`make fuzz`: foreign bytes for everything that reads some, for a while, by coverage.

Ends with 1 where an input crashed, hung or broke a promise; the input stands in build/fuzz then.
Options: --seconds N (for each target), --jobs N (at a time), --targets A,B (not all of them),
--record (begin with the seeds alone; write fixtures/fuzz/results.json and, from it, the table in
docs/fuzzing.md), --input FILE (run that one input, with --targets, and show what it does).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fuzz import campaign, report, results
from fuzz.guided import failures
from fuzz.shrink import shrunk
from fuzz.table import BY_NAME, TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzz.target import Target

PAGE: Final = campaign.ROOT / "docs/fuzzing.md"


def main(arguments: Sequence[str]) -> int:
    """Fuzz, and say what came of it."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--targets", default=",".join(BY_NAME))
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--input", type=Path)
    options = parser.parse_args(arguments)
    targets = [BY_NAME[name] for name in options.targets.split(",")]
    if options.input is not None:
        for target in targets:
            target.check(options.input.read_bytes())
        return 0
    sys.stderr.write(
        f"{len(targets)} targets, {options.seconds} s each: {campaign.engine().name}\n"
    )
    rows = []
    for row in campaign.run(
        targets, seconds=options.seconds, jobs=options.jobs, fresh=options.record
    ):
        rows.append(row)
        _tell(row)
        if row.failures:
            _keep_small(BY_NAME[row.target])
    rows.sort(key=lambda row: list(BY_NAME).index(row.target))
    text = report.render(rows)
    sys.stdout.write(f"{text}\n")
    if options.record and targets == list(TARGETS):
        results.RESULTS.write_text(results.dumps(rows), encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(report.placed(page, text), encoding="utf-8")
    return 1 if any(row.failures for row in rows) else 0


def _tell(row: results.Row) -> None:
    sys.stderr.write(f"{row.target}: {row.executed:,} inputs, {row.edges:,} edges\n")
    for failure in row.failures:
        sys.stderr.write(f"{row.target}: FAILED, {failure}\n")


def _keep_small(target: Target) -> None:
    """The inputs of a target's failures, as small as they can be made, each in a file."""
    folder = campaign.WORK / target.name
    for number, (name, data) in enumerate(failures(folder).items(), start=1):
        path = folder / f"small-{number}"
        path.write_bytes(shrunk(target, data, name))
        sys.stderr.write(f"  {name}: make fuzz ARGS='--targets {target.name} --input {path}'\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
