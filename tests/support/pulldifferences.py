"""The differences between `docker pull` and `pinner pull`, as docs/pull.md lists them.

    agree("1: Pulling from app\nfbae14ffe1d7: Waiting", "1: Pulling from app", read_lines())

The page's two tables are all that the oracle's test knows of differences: a row less on the page
makes it fail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PAGE: Final = Path(__file__).resolve().parents[2] / "docs/pull.md"
_CODE: Final = re.compile(r"`([^`]+)`")
_HOLE: Final = re.compile(r"\{(\w+)\}")
_NOTHING: Final = "nothing"
_ERROR: Final = "error: "
_MEND: Final = "  "
_ARRIVED: Final = re.compile(r"[0-9a-f]{12}: Download complete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of docker's, and the template of what pinner says in its place; "" for nothing."""

    docker: re.Pattern[str]
    pinner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What each says, somewhere in its output, where the two do not do the same."""

    name: str
    docker: re.Pattern[str]
    pinner: re.Pattern[str]


def read_lines() -> list[Line]:
    """The table of lines."""
    return [
        Line(
            docker=pattern(_code(docker)),
            pinner="" if pinner == _NOTHING else _code(pinner),
        )
        for docker, pinner, _ in _table("### Lines")
    ]


def read_situations() -> dict[str, Situation]:
    """The table of situations, by name."""
    return {
        name: Situation(name=name, docker=pattern(_code(docker)), pinner=pattern(_code(pinner)))
        for name, docker, pinner, _ in _table("### Situations")
    }


def agree(docker: str, pinner: str, lines: Iterable[Line]) -> bool:
    """Whether the lines on pinner's stdout are docker's, but for the differences."""
    rules = list(lines)
    said = [pattern(line) for one in docker.splitlines() if (line := _expected(one, rules))]
    return _match(said, [one for one in pinner.splitlines() if not _ARRIVED.fullmatch(one)])


def agree_on_errors(docker: str, pinner: str, lines: Iterable[Line]) -> bool:
    """Whether pinner's stderr names docker's errors; what it says below them is its own."""
    rules = list(lines)
    said = [
        pattern(f"{_ERROR}{line}") for one in docker.splitlines() if (line := _expected(one, rules))
    ]
    return _match(said, [one for one in pinner.splitlines() if not one.startswith(_MEND)])


def _match(said: Sequence[re.Pattern[str]], found: Sequence[str]) -> bool:
    return len(said) == len(found) and all(
        wanted.fullmatch(line) for wanted, line in zip(said, found, strict=True)
    )


def pattern(template: str) -> re.Pattern[str]:
    """What matches a line in which each `{hole}` is any text."""
    parts = _HOLE.split(template)
    return re.compile(
        "".join(
            re.escape(part) if number % 2 == 0 else f"(?P<{part}>.+)"
            for number, part in enumerate(parts)
        )
    )


def _expected(line: str, rules: Iterable[Line]) -> str:
    """What pinner says where docker says `line`, "" for nothing; one rule after the other."""
    for rule in rules:
        found = rule.docker.fullmatch(line)
        if found is None:
            continue
        if not rule.pinner or _ARRIVED.fullmatch(line):
            return ""
        holes = found.groupdict()
        line = _HOLE.sub(lambda hole, known=holes: known.get(hole[1], hole[0]), rule.pinner)  # type: ignore[misc]
        line = line.removeprefix(_ERROR)
    return line


def _table(heading: str) -> list[list[str]]:
    text = _PAGE.read_text(encoding="utf-8").partition(f"{heading}\n")[2]
    rows = [line for line in text.partition("\n#")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def _code(cell: str) -> str:
    found = _CODE.fullmatch(cell)
    if found is None:
        raise ValueError(f"{cell!r} is not one span of code")
    return found[1]
