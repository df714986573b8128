"""Console blocks: which commands they hold, and whether an output is as it was shown.

$ pinner lock             a command; behind a backslash it goes on in the next line
Locked 3 images in 0.2 s  its output, stdout and stderr as they come
…                         any number of lines, left out for the reader's sake
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PROMPT: Final = "$ "
_SECONDS: Final = re.compile(r"\bin \d+\.\d+ s\b")
_AGES: Final = re.compile(r"\b\d+ d → \d+ d\b")
_AGO: Final = re.compile(r"\b(?:\d+|About an?) (?:second|minute|hour|day|week|month|year)s? ago\b")
_WIDE: Final = re.compile(r" {3,}")  # a column is as wide as the ages in it
_IMAGE_DONE: Final = re.compile(r"[\w.-]+: [\d.]+ k?M?B in \d+ blobs?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A command of a block and the output below it.

    Attributes:
        command: without the prompt; of several lines where it goes on.
        output: its lines.
    """

    command: str
    output: tuple[str, ...]


def parse(body: Sequence[str]) -> list[Shown]:
    """The commands of a console block.

    Raises:
        ValueError: it does not begin with one.
    """
    shown: list[tuple[list[str], list[str]]] = []
    for line in body:
        if shown and not shown[-1][1] and shown[-1][0][-1].endswith("\\"):
            shown[-1][0].append(line)
        elif line.startswith(_PROMPT):
            shown.append(([line.removeprefix(_PROMPT)], []))
        elif not shown:
            raise ValueError(f"a console block begins with a command, not with {line!r}")
        else:
            shown[-1][1].append(line)
    return [Shown(command="\n".join(lines), output=tuple(output)) for lines, output in shown]


def render(blocks: Iterable[Shown]) -> list[str]:
    """The body of a console block."""
    lines: list[str] = []
    for shown in blocks:
        lines += f"{_PROMPT}{shown.command}".split("\n")
        lines += shown.output
    return lines


def agree(shown: Sequence[str], real: Sequence[str]) -> bool:
    """Whether an output is what a page shows.

    Seconds and ages may differ, images that are downloaded at once may end in any order, and `…`
    stands for lines that are left out.
    """
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "…" else re.escape(line) + r"\n" for line in _settled(shown)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _settled(real))) is not None


def _settled(lines: Iterable[str]) -> list[str]:
    untimed = map(_untimed, lines)
    settled: list[str] = []
    for unordered, group in groupby(untimed, lambda line: bool(_IMAGE_DONE.fullmatch(line))):
        chunk = list(group)
        settled += sorted(chunk) if unordered else chunk
    return settled


def _untimed(line: str) -> str:
    for pattern, text in (
        (_SECONDS, "in 0.0 s"),
        (_AGES, "0 d → 0 d"),
        (_AGO, "0 days ago"),
        (_WIDE, "   "),
    ):
        line = pattern.sub(text, line)
    return line
