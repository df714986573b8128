"""The results as Markdown, and the place in docs/fuzzing.md where they stand (pure)."""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Final

from fuzz.table import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from fuzz.results import Row

BEGIN: Final = "<!-- fuzz:begin, written by `make fuzz` -->"
END: Final = "<!-- fuzz:end -->"
_HEAD: Final = (
    *("target", "what is read, and what must hold", "minutes", "inputs", "a second"),
    *("edges reached", "seeds", "kept since they reached more", "failures"),
)


def render(rows: Sequence[Row]) -> str:
    """The table, and what it comes to in a sentence."""
    inputs, minutes = sum(row.executed for row in rows), sum(row.seconds for row in rows) / 60
    failures = sum(len(row.failures) for row in rows)
    said = f"{inputs:,} inputs in {minutes:.0f} minutes, failures: {failures}."
    lines = [
        f"| {' | '.join(_HEAD)} |",
        f"|---|---|{'|'.join(['---:'] * (len(_HEAD) - 2))}|",
        *(f"| {' | '.join(_cells(row))} |" for row in rows),
    ]
    return "\n".join([said, "", *lines])


def summary(rows: Sequence[Row]) -> str:
    """A line for each target, for a terminal or a log."""
    heads = ("target", "inputs", "a second", "edges", "corpus", "checksum", "failures")
    lines = [
        (
            row.target,
            f"{row.executed:,}",
            f"{row.executed / max(1, row.seconds):,.0f}",
            f"{row.edges:,}",
            f"{row.seeds} + {row.new:,}",
            f"{row.checksum:08x}",
            str(len(row.failures)),
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(heads, *lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in (heads, *lines)
    )


def failed(target: str, name: str, data: bytes, path: Path) -> str:
    """A failure, with its input in a form that outlives the machine that found it.

    Args:
        target: its name.
        name: the failure's.
        data: the input.
        path: where that stands.
    """
    kept = f"fixtures/fuzz/{target}/NAME"
    packed = base64.b64encode(gzip.compress(data, mtime=0)).decode()
    return (
        f"{target}: FAILED, {name}\n"
        f"  again:  make fuzz ARGS='--targets {target} --input {path}'\n"
        f"  here, and once it is mended as a regression ({len(data)} bytes; its reason goes to\n"
        f"  fixtures/fuzz/reasons.toml):\n"
        f"    mkdir -p fixtures/fuzz/{target}\n"
        f"    echo {packed} | base64 -d | gunzip > {kept}\n"
        f"    make fuzz ARGS='--targets {target} --input {kept}'\n"
    )


def placed(page: str, text: str) -> str:
    """The page with this text between its markers.

    Raises:
        ValueError: it has no markers.
    """
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"the page lacks the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _cells(row: Row) -> Iterable[str]:
    return (
        row.target,
        BY_NAME[row.target].about,
        f"{row.seconds / 60:.1f}",
        f"{row.executed:,}",
        f"{row.executed / max(1, row.seconds):,.0f}",
        f"{row.edges:,}",
        str(row.seeds),
        f"{row.new:,}",
        str(len(row.failures)),
    )
