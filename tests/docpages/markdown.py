"""A page of Markdown as what matters to its examples: fences, directions, and the rest.

    ```console                the commands behind `$ ` are run, and what follows is their output
    ```toml images.toml       written to a file of this name before anything further down is run
    ```python                 run
    <!-- docs: … -->          a direction to whoever runs the page; readers do not see it

Joining the parts' lines gives the page again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FENCE: Final = re.compile(r"```(\w*)(?: (\S+))?")
_INDENTED: Final = re.compile(r"\s+```")
_DIRECTION: Final = re.compile(r"<!-- docs: (.+) -->")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Lines that are no example."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What to do before going on."""

    lines: tuple[str, ...]
    wish: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block.

    Attributes:
        number: of its first line, from 1.
        lines: with the two fences.
        language: the first word behind the fence; empty where there is none.
        file: the second, the file that it is written to.
    """

    number: int
    lines: tuple[str, ...]
    language: str
    file: str

    @property
    def body(self) -> tuple[str, ...]:
        """The lines between the fences."""
        return self.lines[1:-1]

    @property
    def text(self) -> str:
        """The body as a file has it."""
        return "".join(f"{line}\n" for line in self.body)

    def with_body(self, body: list[str]) -> Fence:
        """The same fences around other lines."""
        return Fence(
            number=self.number,
            lines=(self.lines[0], *body, self.lines[-1]),
            language=self.language,
            file=self.file,
        )


Part = Prose | Direction | Fence


def parse(text: str) -> list[Part]:
    """The parts of a page, in order.

    Raises:
        ValueError: a fence that is indented, or does not end; it would be passed over.
    """
    parts: list[Part] = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.fullmatch(line):
            if "```" not in lines[at + 1 :]:
                raise ValueError(f"line {at + 1}: the fence does not end")
            end = lines.index("```", at + 1) + 1
            parts.append(
                Fence(
                    number=at + 1,
                    lines=tuple(lines[at:end]),
                    language=fence[1],
                    file=fence[2] or "",
                )
            )
        elif direction := _DIRECTION.fullmatch(line):
            end = at + 1
            parts.append(Direction(lines=(line,), wish=direction[1]))
        elif line.startswith("```") or _INDENTED.match(line):
            raise ValueError(f"line {at + 1}: a fence stands at the margin, with two words at most")
        else:
            end = at + 1
            parts.append(Prose(lines=(line,)))
        at = end
    return parts


def join(parts: list[Part]) -> str:
    """The page that the parts make."""
    return "".join(f"{line}\n" for part in parts for line in part.lines)
