"""docs/faults.md: the fault catalogue, with the tests that meet each fault.

The page is made from fixtures/faults/catalogue.toml and the names of the tests, whole sections of
text excepted: what stands above its first table is kept.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.catalogue import TITLES, Fault, met, read_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "faults.md"
_WIDTH: Final = 100
BEGIN: Final = "<!-- catalogue:begin, written by `make docs` -->"

REMARKS: Final = {
    "V": (
        "The first draft asked for exit code 6 in all but V06: a lock that holds the digests that "
        "a key has signed. pinner checks digests, and neither asks for signatures nor heeds them: "
        "which bytes are wanted was decided when images.lock was reviewed, and no signature can "
        "change them. To have signatures checked, before a digest is merged or later, ask cosign "
        "([how](../SECURITY.md#signatures)): what it signs is the digest that images.lock holds. "
        "The tests make each situation as cosign does. They see that lock, store, mirror and what "
        "is served are what they are without any signature, that no request is made for one, and "
        "that no output speaks of one."
    ),
}
"""What stands before a section's table."""


def write() -> bool:
    """Write the catalogue into the page; whether that changed it."""
    shown = PAGE.read_text(encoding="utf-8")
    text = page(shown, read_catalogue(), met(_collected()))
    if text != shown:
        PAGE.write_text(text, encoding="utf-8")
    return text != shown


def page(shown: str, faults: Sequence[Fault], tests: Mapping[str, Sequence[str]]) -> str:
    """The page with the catalogue as it is now.

    Args:
        shown: the page; what stands before `BEGIN` is kept.
        faults: in the order of the page.
        tests: the names of the tests that carry each id.
    """
    head, _, _ = shown.partition(BEGIN)
    sections = [
        _section(letter, [fault for fault in faults if fault.id.startswith(letter)], tests)
        for letter in TITLES
    ]
    files = _files(nodeid for fault in faults for nodeid in tests.get(fault.id, ()))
    links = [f"[{_label(file)}]: ../tests/{file}" for file in files]
    return "\n".join([f"{head}{BEGIN}", _sum(faults), *sections, *links, ""])


def _sum(faults: Sequence[Fault]) -> str:
    differing = sum(bool(fault.differs) for fault in faults)
    text = (
        f"{len(faults)} faults, each met by tests that carry its id. In {differing} of them, and "
        "in section V, pinner does not do what the first draft of this catalogue asked for: the "
        "row, or the section, says why."
    )
    return textwrap.fill(text, _WIDTH) + "\n"


def _section(letter: str, faults: Iterable[Fault], tests: Mapping[str, Sequence[str]]) -> str:
    rows = [_row(fault, tests.get(fault.id, ())) for fault in faults]
    return "\n".join(
        [
            f"## {letter}: {TITLES[letter]}",
            "",
            *_remark(letter),
            "| id | what happens | what pinner does | tests |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _remark(letter: str) -> list[str]:
    remark = REMARKS.get(letter)
    return [textwrap.fill(remark, _WIDTH, break_on_hyphens=False), ""] if remark else []


def _row(fault: Fault, tests: Sequence[str]) -> str:
    remarks = (fault.differs, fault.below)
    outcome = "; ".join(filter(None, (fault.outcome, *remarks)))
    links = ", ".join(f"[{_label(file)}]" for file in _files(tests))
    return f"| {fault.id} | {_cell(fault.fault)} | {_cell(outcome)} | {links} |"


def _files(tests: Iterable[str]) -> list[str]:
    return sorted({nodeid.partition("::")[0].removeprefix("tests/") for nodeid in tests})


def _label(file: str) -> str:
    folder, _, name = file.rpartition("/")
    return f"{folder}/{name.removeprefix('test_').removesuffix('.py')}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _collected() -> list[str]:
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in listed.stdout.splitlines() if "::" in line]
