"""The names that a Dockerfile gives: its stages, and the variables that FROM lines may use.

Variables declared before the first FROM are global: FROM lines see them, and no others. One that a
stage declares again (`ARG NAME`) has its global value inside the stage too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.arguments import pairs, split_flags
from pinner.rewrite.dockerfile.words import CannotExpand, expand
from pinner.rewrite.located import NOWHERE
from pinner.rewrite.model import Barrier
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pinner.rewrite.dockerfile.lines import Instruction
    from pinner.rewrite.dockerfile.words import Expanded
    from pinner.rewrite.located import Located

STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9\-_.]*", re.ASCII)
_NAMED: Final = 3
_PARTS: Final = ("PLATFORM", "OS", "ARCH", "VARIANT")
# reference.md, "Automatic platform ARGs in the global scope".
_AUTOMATIC: Final = frozenset(f"{side}{part}" for side in ("TARGET", "BUILD") for part in _PARTS)


@dataclass(slots=True)
class Variables:
    """The global variables.

    Attributes:
        values: of those that have one.
        broken: why the value of a declared variable cannot be told.
    """

    values: dict[str, Located] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, instructions: Iterable[Instruction], *, escape: str) -> Variables:
        """Those that the instructions before the first FROM declare."""
        variables = cls()
        for instruction in instructions:
            if instruction.keyword == "from":
                break
            if instruction.keyword == "arg":
                for name, default in pairs(instruction.arguments, escape=escape):
                    variables._declare(name, default, escape=escape)
        return variables

    def why_unknown(self, told: Expanded) -> str | None:
        """Why what was filled in is not all that a build would; None where it is."""
        for name in sorted(told.used):
            if name in self.broken:
                return self.broken[name]
        for name in sorted(told.unset):
            if name in _AUTOMATIC:
                return f"{name} is what the build is for"
            return f"{safe(name, limit=80)} has no default here"
        return None

    def _declare(self, name: str, default: Located | None, *, escape: str) -> None:
        if default is None:
            return
        self.broken.pop(name, None)
        try:
            told = expand(default, self.values, escape=escape)
        except CannotExpand as error:
            self.broken[name] = str(error)
            return
        self.values[name] = told.text
        why = self.why_unknown(told)
        if why is not None:
            self.broken[name] = why


def stage_names(instructions: Iterable[Instruction]) -> frozenset[str]:
    """The names of all stages, in lower case, wherever they are defined."""
    words = (
        split_flags(instruction.arguments)[1].text.split()
        for instruction in instructions
        if instruction.keyword == "from"
    )
    return frozenset(found[-1].lower() for found in words if len(found) == _NAMED)


def shared_variables(
    instructions: Iterable[Instruction], values: Mapping[str, Located], *, escape: str
) -> tuple[Barrier, ...]:
    """The places of global values that stages use as well, and that must not get a digest."""
    barriers: list[Barrier] = []
    inside = False
    seen: set[str] = set()
    for instruction in instructions:
        inside = inside or instruction.keyword == "from"
        if not inside or instruction.keyword != "arg":
            continue
        for name, default in pairs(instruction.arguments, escape=escape):
            if default is None and name in values and name not in seen:
                seen.add(name)
                why = f"ARG {name} is used inside a stage too, where it would hold the digest"
                barriers += [
                    Barrier(start=start, end=end, why=why) for start, end in _runs(values[name])
                ]
    return tuple(barriers)


def _runs(value: Located) -> Iterator[tuple[int, int]]:
    """The stretches of the file that a value is made of."""
    start = end = NOWHERE
    for origin in value.origins:
        if origin == end and origin != NOWHERE:
            end += 1
            continue
        if start != NOWHERE:
            yield start, end
        start, end = (origin, origin + 1) if origin != NOWHERE else (NOWHERE, NOWHERE)
    if start != NOWHERE:
        yield start, end
