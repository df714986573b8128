"""The results as Markdown, and the place in docs/campaign.md where they stand (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from campaign.rot import DAMAGES, HEALERS
from campaign.sweep import AT_OPENING, ERRORS, KILL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from campaign.results import Results, Row

BEGIN: Final = "<!-- campaign:begin, written by `make campaign` -->"
END: Final = "<!-- campaign:end -->"
_COMMANDS: Final = ("sync", "update --fetch", "lock")
_KILLED: Final = _COMMANDS[:2]
_LANDED: Final = "landed: "


def render(results: Results) -> str:
    """All tables."""
    return "\n\n".join(
        [
            f"{results.machine}; seed {results.seed}.",
            "**Kills at random moments**",
            _kills(results),
            "Where they landed:",
            _landed(results),
            "**Every call to the file system**",
            _calls(results),
            "**Full disks**",
            _disks(results.row("disks: full")),
            "**Power cuts**",
            _power(results),
            "**Sixteen processes**",
            _many(results.row("many: sixteen")),
            "**Damaged blobs**",
            _rot(results.row("rot: blobs")),
        ]
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


def _kills(results: Results) -> str:
    rows = []
    for command in _KILLED:
        row = results.row(f"kills: {command}")
        rows.append(
            (
                f"`{command}`",
                _number(row, "kills"),
                f"{row.counts.get('milliseconds of a run', 0) / 1000:.1f} s",
                f"{row.counts.get('failed', 0)}",
                _size(row, "bytes acknowledged"),
                _size(row, "acknowledged bytes fetched again"),
                _size(row, "largest lag"),
            )
        )
    head = (
        "command",
        "kills",
        "an undisturbed run",
        "failed",
        "acknowledged before the next run",
        "of that fetched again",
        "received by one blob, not yet acknowledged, at most",
    )
    return _table(head, rows)


def _landed(results: Results) -> str:
    rows = {command: results.row(f"kills: {command}").counts for command in _KILLED}
    moments = sorted({key for counts in rows.values() for key in counts if key.startswith(_LANDED)})
    return _table(
        ("the store was left", *(f"`{command}`" for command in _KILLED)),
        [
            (moment.removeprefix(_LANDED), *(f"{rows[c].get(moment, 0)}" for c in _KILLED))
            for moment in moments
        ],
    )


def _calls(results: Results) -> str:
    rows = []
    for command in _COMMANDS:
        row = results.row(f"calls: {command}")
        for fault in (KILL, *ERRORS, *AT_OPENING):
            landed = row.counts.get(f"{fault}: landed", 0)
            missed = row.counts.get(f"{fault}: the call did not come", 0)
            if landed or missed:
                ended = [row.counts.get(f"{fault}: exit {code}", 0) for code in (0, 2, 5)]
                shown = [f"{one}" if fault != KILL else "" for one in ended]
                rows.append((f"`{command}`", fault, f"{landed + missed}", f"{landed}", *shown))
        failed = row.counts.get("failed", 0)
        rows.append((f"`{command}`", "failed", "", f"{failed}", "", "", ""))
    head = ("command", "fault", "calls", "landed", "exit 0", "exit 2", "exit 5")
    return _table(head, rows, left=2)


def _disks(row: Row) -> str:
    sync = [_number(row, f"sync: {key}") for key in ("disks", "exit 5", "exit 0")]
    lock = [_number(row, f"lock: {key}") for key in ("disks", "exit 5", "exit 0")]
    named = _number(row, "sync: says the bytes that were needed")
    return _table(
        ("command", "disks", "exit 5", "exit 0", "names the bytes that were needed", "failed"),
        [
            ("`sync`", *sync, named, f"{_failed(row, 'sync')}"),
            ("`lock`", *lock, "", f"{_failed(row, 'lock')}"),
        ],
    )


def _failed(row: Row, command: str) -> int:
    return sum(failure.startswith(command) for failure in row.failures)


def _power(results: Results) -> str:
    head = ("command", "changes", "power cuts", "left spoiled blobs", "failed")
    rows = []
    for command in _KILLED:
        row = results.row(f"power cuts: {command}")
        keys = ("changes", "power cuts", "left spoiled blobs", "failed")
        rows.append((f"`{command}`", *(_number(row, key) for key in keys)))
    return _table(head, rows)


def _many(row: Row) -> str:
    names = f"{_number(row, 'names kept')} of {_number(row, 'processes')}"
    head = ("rounds", "names kept", "blobs", "their bytes", "bytes asked for", "failed")
    return _table(
        head,
        [
            (
                _number(row, "rounds"),
                names,
                _number(row, "blobs"),
                _size(row, "bytes of blobs"),
                _size(row, "bytes asked for"),
                _number(row, "failed"),
            )
        ],
        left=0,
    )


def _rot(row: Row) -> str:
    keys = ("blobs", "verify finds", *(f"{healer} heals" for healer in HEALERS))
    head = ("damage", "blobs", "`verify` finds", *(f"`{healer}` heals" for healer in HEALERS))
    return _table(
        head,
        [(damage, *(_number(row, f"{damage}: {key}") for key in keys)) for damage in DAMAGES],
    )


def _number(row: Row, key: str) -> str:
    return f"{row.counts.get(key, 0):,}"


def _size(row: Row, key: str) -> str:
    count = row.counts.get(key, 0)
    return f"{count / 1_000_000:,.1f} MB" if count else "0"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A table; columns after the first ones are figures, on the right."""
    kinds = ["---"] * left + ["---:"] * (len(head) - left)
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(kinds)}|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])
