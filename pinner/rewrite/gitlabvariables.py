"""Variables of a GitLab pipeline, as far as the file itself says what they are.

$NAME ${NAME} %NAME%    followed where the file declares NAME once, at the top or in this job
$$                      a dollar

Whatever runs the pipeline may override them, as it may the default of an ARG.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import NOWHERE, Located
from pinner.rewrite.model import Barrier
from pinner.rewrite.yamlspans import Mapping, Scalar
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pinner.rewrite.yamlsearch import Search
    from pinner.rewrite.yamlspans import Node

VARIABLE: Final = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<named>[A-Za-z_]\w*)|(?P<escaped>\$))"
    r"|%(?P<windows>[A-Za-z_]\w*)%",
    re.ASCII,
)
_KEY: Final = "variables"
_DEEPEST: Final = 8
_LONGEST: Final = 4096


class UnknownVariable(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """The file does not say, or not just once, what a variable is; the message is its name."""


@dataclass(slots=True)
class Variables:
    """The variables of one document.

    Attributes:
        looking: reads the nodes.
        root: of the document.
    """

    looking: Search
    root: Node
    _declared: dict[str, list[tuple[Node, Scalar]]] = field(default_factory=dict)
    _followed: dict[int, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.looking.everything(self.root):
            block = node.values.get(_KEY) if isinstance(node, Mapping) else None
            for name, value in self.looking.items(block):
                scalar = value if isinstance(value, Scalar) else self.looking.get(value, "value")
                if isinstance(scalar, Scalar):
                    self._declared.setdefault(name, []).append((node, scalar))

    def fill_in(self, scalar: Scalar, job: Node, depth: int = 0) -> Located:
        """The text as GitLab reads it in this job, if nothing overrides what the file says.

        Raises:
            UnknownVariable: it does not say.
        """
        self._followed[id(scalar)] = scalar
        text = (self.looking.text(scalar) or Located("", ())).strip("\n \t")
        parts, at = [], 0
        for found in VARIABLE.finditer(text.text):
            parts.append(text[at : found.start()])
            at = found.end()
            name = name_of(found)
            if not name:
                parts.append(Located.made("$"))
                continue
            value = self._value(name, job)
            if value is None or depth >= _DEEPEST:
                raise UnknownVariable(name)
            parts.append(self.fill_in(value, job, depth + 1))
            if sum(map(len, parts)) > _LONGEST:
                raise UnknownVariable(name)
        return Located.join([*parts, text[at:]])

    def _value(self, name: str, job: Node) -> Scalar | None:
        places = self._declared.get(name, ())
        if len(places) != 1:
            return None
        owner, scalar = places[0]
        return scalar if owner is self.root or owner is job else None

    def barriers(self, references: Iterable[Located]) -> list[tuple[Barrier, ...]]:
        """For each reference the values in it that something else than an image uses too.

        Args:
            references: all that were filled in.
        """
        inside = self._count(self.looking.plain(scalar) for scalar in self._followed.values())
        everywhere = self._count([self.looking.page.source.text])
        shared = sorted(
            (places[0][1].start, places[0][1].end, name)
            for name, places in self._declared.items()
            if name in inside and everywhere.get(name, 0) > inside[name]
        )
        return [
            tuple(
                Barrier(
                    start=start, end=end, why=f"{safe(name, limit=80)} is used for other things too"
                )
                for start, end, name in _touched(shared, reference)
            )
            for reference in references
        ]

    @staticmethod
    def _count(texts: Iterable[str]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for text in texts:
            for found in VARIABLE.finditer(text):
                counts[name_of(found)] = counts.get(name_of(found), 0) + 1
        return counts


def _touched(
    spans: list[tuple[int, int, str]], reference: Located
) -> dict[tuple[int, int, str], None]:
    """The spans, sorted and apart, that a reference takes characters from."""
    found: dict[tuple[int, int, str], None] = {}
    for origin in reference.origins:
        at = bisect.bisect_right(spans, (origin + 1, 0, "")) - 1
        if origin != NOWHERE and at >= 0 and origin < spans[at][1]:
            found[spans[at]] = None
    return found


def name_of(found: re.Match[str]) -> str:
    """The variable that a match of `VARIABLE` names; empty for an escaped dollar."""
    return found["braced"] or found["named"] or found["windows"] or ""
