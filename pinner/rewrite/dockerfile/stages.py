"""The names that a Dockerfile gives: its stages, and the variables that FROM lines may use.

Variables declared before the first FROM are global: FROM lines see them, and no others. One that a
stage declares again (`ARG NAME`) has its global value inside the stage too. BuildKit sets a few by
itself, such as TARGETARCH; they differ with the platform that is built.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.arguments import pairs, split_flags
from pinner.rewrite.dockerfile.blanks import SPACE
from pinner.rewrite.dockerfile.refusals import CannotExpand
from pinner.rewrite.dockerfile.words import expand
from pinner.rewrite.located import NOWHERE, Located
from pinner.rewrite.model import Barrier
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pinner.rewrite.dockerfile.lines import Instruction
    from pinner.rewrite.dockerfile.words import Expanded

STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9\-_.]*", re.ASCII)
_NAMED: Final = 3
# reference.md, "Automatic platform ARGs in the global scope".
_SIDES: Final = ("TARGET", "BUILD")
_PARTS: Final = ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
_AUTOMATIC: Final = frozenset(
    {"TARGETSTAGE", *(f"{side}{part}" for side in _SIDES for part in _PARTS)}
)
_PLATFORMS: Final = (
    *("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5", "linux/386"),
    *("linux/ppc64le", "linux/s390x", "linux/riscv64", "linux/loong64", "linux/mips64le"),
    *("linux/mips64", "linux/mipsle", "linux/mips", "windows/amd64", "windows/arm64"),
    *("darwin/amd64", "darwin/arm64", "freebsd/amd64", "freebsd/arm64", "wasip1/wasm"),
)
_WORD: Final = re.compile(f"[^{SPACE}]+")


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
    def of(
        cls,
        instructions: Iterable[Instruction],
        *,
        escape: str,
        automatic: Mapping[str, Located] | None = None,
    ) -> Variables:
        """Those that the instructions before the first FROM declare.

        Args:
            instructions: of the file.
            escape: its escape character.
            automatic: what BuildKit sets by itself, where that is known.
        """
        variables = cls(dict(automatic or {}))
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
            if name in _AUTOMATIC and name not in self.values:
                return f"{name} differs with the platform that is built"
        for name in sorted(told.unset):
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


@functools.cache
def automatic_values() -> tuple[dict[str, Located], ...]:
    """What BuildKit sets by itself, for each platform that it builds for on its own."""
    return tuple(
        {
            f"{side}{part}": Located.made(value)
            for side in _SIDES
            for part, value in zip(
                ("PLATFORM", "OS", "ARCH", "VARIANT"), (platform, *_fields(platform)), strict=True
            )
        }
        for platform in _PLATFORMS
    )


def _fields(platform: str) -> tuple[str, str, str]:
    system, architecture, *variant = platform.split("/")
    return system, architecture, "".join(variant)


def stage_names(instructions: Iterable[Instruction]) -> frozenset[str]:
    """The names of all stages, in lower case, wherever they are defined."""
    words = (
        _WORD.findall(split_flags(instruction.arguments)[1].text)
        for instruction in instructions
        if instruction.keyword == "from"
    )
    return frozenset(found[-1].lower() for found in words if len(found) == _NAMED)


def shared_variables(
    instructions: Iterable[Instruction], values: Mapping[str, Located], *, escape: str
) -> dict[int, Barrier]:
    """The bytes of global values that stages use as well, and that must not get a digest."""
    barriers: dict[int, Barrier] = {}
    if not values:
        return barriers
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
                for start, end in _runs(values[name]):
                    barrier = Barrier(start=start, end=end, why=why)
                    barriers |= dict.fromkeys(range(start, end), barrier)
    return barriers


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
