"""`make fuzz`: foreign bytes for everything that reads some, for a while, by coverage.

Ends with 1 where an input crashed, hung or broke a promise; the input stands in build/fuzz then.
Options: --seconds N (for each target), --jobs N (at a time), --targets A,B (not all of them),
--ci (a fixed series of inputs for those targets that have one, the same in each run), --record
(begin with the seeds alone; write fixtures/fuzz/results.json and, from it, the table in
docs/fuzzing.md), --input FILE (run that one input, with --targets, and show what it does).
"""

from __future__ import annotations

import argparse
import hashlib
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
    parser.add_argument("--targets")
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--input", type=Path)
    options = parser.parse_args(arguments)
    targets = _chosen(options.targets, steady=options.ci)
    if options.input is not None:
        for target in targets:
            target.check(options.input.read_bytes())
        return 0
    engine = campaign.engine()
    sys.stderr.write(f"{len(targets)} targets, {options.seconds} s each: {engine.name}\n")
    if engine is campaign.BLIND:
        sys.stderr.write("atheris has no wheel here: what is not reached blindly is not tested\n")
    rows = []
    for row in campaign.run(
        targets,
        seconds=options.seconds,
        jobs=options.jobs,
        fresh=options.record,
        steady=options.ci,
    ):
        rows.append(row)
        sys.stderr.write(f"{row.target}: {row.executed:,} inputs, {row.edges:,} edges\n")
        if row.failures:
            _show(row)
    rows.sort(key=lambda row: list(BY_NAME).index(row.target))
    text = report.summary(rows) if options.ci else report.render(rows)
    sys.stdout.write(f"{text}\n")
    if options.record and targets == list(TARGETS):
        results.RESULTS.write_text(results.dumps(rows), encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(report.placed(page, text), encoding="utf-8")
    return 1 if any(row.failures for row in rows) else 0


def _chosen(names: str | None, *, steady: bool) -> list[Target]:
    """The targets of these names; all by default, or those that have a fixed series."""
    if names is not None:
        return [BY_NAME[name] for name in names.split(",")]
    return [target for target in TARGETS if target.steady or not steady]


def _show(row: results.Row) -> None:
    """What failed, and how to see it again: the inputs as small as they can be made."""
    target, folder = BY_NAME[row.target], campaign.WORK / row.target
    inputs = failures(folder)
    for name in row.failures:
        if name not in inputs:
            sys.stderr.write(f"{target.name}: FAILED, {name}: {folder / 'log'}\n")
            continue
        small = shrunk(target, inputs[name], name)
        path = folder / f"small-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        path.write_bytes(small)
        sys.stderr.write(report.failed(target.name, name, small, path))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
