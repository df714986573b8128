"""Where things stand in a TOML text, as `scan` found it.

A path names a place: `("images", "app", "platforms", 1)`. Elements of arrays and tables of `[[…]]`
have their number in it.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A header, or a key with its value.

    Attributes:
        section: the table whose header it is, or whose header it stands below; () at the top.
        start: the offset of its first character.
        end: the offset behind its last; a comment on the same line stands behind that.
    """

    path: Path
    section: Path
    is_header: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A key or header that stands in the text a second time."""

    path: Path
    line: int
    first_line: int


class Layout:
    """The places of one text.

    Attributes:
        statements: in the text's order.
        duplicate: the first one, where there is any; TOML forbids them.
    """

    def __init__(
        self,
        text: str,
        offsets: Mapping[Path, int],
        statements: tuple[Statement, ...],
        duplicate: tuple[Path, int, int] | None,
    ) -> None:
        self._line_ends = [found.start() for found in re.finditer("\n", text)]
        self._offsets = offsets
        self.statements = statements
        self.duplicate = duplicate and Duplicate(
            path=duplicate[0],
            line=self.line_at(duplicate[1]),
            first_line=self.line_at(duplicate[2]),
        )

    def offset(self, path: Path) -> int:
        """Where this place begins, or else the nearest table around it."""
        known = (path[:length] for length in range(len(path), 0, -1))
        return next((self._offsets[part] for part in known if part in self._offsets), 0)

    def line(self, path: Path) -> int:
        """The line of `offset(path)`, counted from 1."""
        return self.line_at(self.offset(path))

    def line_at(self, offset: int) -> int:
        """The line that this offset is in, counted from 1."""
        return bisect.bisect_left(self._line_ends, offset) + 1
