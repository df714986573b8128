"""The table in docs/files/dockerfile.md: what pinner does with each case of a Dockerfile.

Made from fixtures/rewrite/dockerfile/row-*, by reading and planning each; note.txt beside a case
says what the file itself does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.model import Skipped
from pinner.rewrite.plan import plan_file
from support.dockerfiles import CASES, all_cases, read
from support.rewriting import wish

if TYPE_CHECKING:
    from pathlib import Path

    from support.dockerfiles import Case

BEGIN: Final = "<!-- made by `make docs` from fixtures/rewrite/dockerfile -->"
END: Final = "<!-- the end of what is made -->"
_HEAD: Final = "| row | Dockerfile | what becomes of it |\n|---|---|---|\n"
_DIGEST: Final = re.compile(r"(sha(?:256|512):[0-9a-f]{4})[0-9a-f]+")
_LONGEST: Final = 400


def with_table(page: str) -> str:
    """The page with its table made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n{END}{after}"


def write(page: Path) -> bool:
    """Make the table of a page anew; whether that changed it."""
    shown = page.read_text(encoding="utf-8")
    text = with_table(shown)
    if text != shown:
        page.write_text(text, encoding="utf-8")
    return text != shown


def table() -> str:
    """A row for each case, in Markdown."""
    rows = [case for case in all_cases() if case.name.startswith("row-")]
    return _HEAD + "".join(_row(case) for case in rows)


def _row(case: Case) -> str:
    number, _, form = case.name.removeprefix("row-").partition("-")
    shown = f"{int(number)} {form.replace('-', ' ')}".rstrip()
    return f"| {shown} | {_code(case.before.decode())} | {_told(case)} |\n"


def _told(case: Case) -> str:
    plan = plan_file(case.before, read, wish)
    skipped = [one for one in read(case.before) if isinstance(one, Skipped)]
    told = [f"line {one.line}: {_text(one.why)}" for one in (*skipped, *plan.impossible)]
    if plan.changed:
        before = case.before.decode().splitlines()
        after = plan.after.decode().splitlines()
        changed = [new for old, new in zip(before, after, strict=True) if old != new]
        told.insert(0, " and ".join(map(_code, changed)))
    elif not told:
        found = "pinned" if case.found else "no image"
        told.append(f"{found}: nothing to do")
    note = CASES / case.name / "note.txt"
    if note.exists():
        told.append(note.read_text(encoding="utf-8").strip())
    return "; ".join(told)


def _code(text: str) -> str:
    """Text as code in a cell; ends of lines are shown as ⏎."""
    text = _DIGEST.sub(r"\1…", text).replace("\ufeff", "BOM").rstrip("\n")
    text = text.replace("\r\n", "␍⏎").replace("\r", "␍").replace("\n", "⏎").replace("\t", "⇥")
    text = (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…").replace("|", "\\|")
    if not text:
        return "(empty)"
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _text(text: str) -> str:
    return _DIGEST.sub(r"\1…", text).replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
