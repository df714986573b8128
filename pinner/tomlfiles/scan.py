"""Where things stand in a TOML text: an offset for every key, header and array element.

tomllib gives values without their places; this gives places without values. It is exact for every
text that tomllib accepts. Of others it gives what it understood, at least up to where tomllib finds
the syntax wrong: a key that is too deep is found here before tomllib reads it.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final

from pinner.tomlfiles.layout import Layout, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.tomlfiles.layout import Path

# tomllib's time grows with the square of a dotted key's parts, and its stack with nested brackets.
MAX_DEPTH: Final = 16

_BLANK: Final = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE: Final = re.compile(r"[ \t]*+")
_LINE_END: Final = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_KEY_PART: Final = re.compile(
    r"""(?P<bare>[A-Za-z0-9_-]++)|"(?P<basic>(?:[^"\\\n]++|\\.)*+)"|'(?P<literal>[^'\n]*+)'"""
)
_DOT: Final = re.compile(r"[ \t]*+\.[ \t]*+")
_EQUALS: Final = re.compile(r"[ \t]*+=[ \t]*+")
_SCALAR: Final = re.compile(
    r'''"""(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5}'''
    r"""|'''(?:[^']++|'{1,2}(?!'))*+'{3,5}"""
    r'''|"(?!"")(?:[^"\\\n]++|\\.)*+"'''
    r"""|'(?!'')[^'\n]*+'"""
    r"""|[^\s"'\[\]{},#=](?:[^\n,\]}#]*[^\s,\]}#])?""",
    re.DOTALL,
)


class TooDeep(Exception):  # noqa: N818 - a verdict, converted by `document`
    """Keys or brackets nest deeper than `MAX_DEPTH`.

    Attributes:
        line: where, counted from 1.
    """

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def scan(text: str) -> Layout:
    """The layout of a TOML text.

    Raises:
        TooDeep: it nests deeper than `MAX_DEPTH`.
    """
    scanner = _Scanner(text)
    try:
        scanner.run()
    except _Strange:
        pass  # tomllib says what is wrong with it
    except _Deep as deep:
        raise TooDeep(text.count("\n", 0, deep.offset) + 1) from None
    return Layout(text, scanner.offsets, tuple(scanner.statements), scanner.duplicate)


class _Strange(Exception):  # noqa: N818 - control flow within this module
    """The text is not TOML."""


class _Deep(Exception):  # noqa: N818 - control flow within this module
    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _Scanner:
    def __init__(self, text: str) -> None:
        self.offsets: dict[Path, int] = {}
        self.statements: list[Statement] = []
        self.duplicate: tuple[Path, int, int] | None = None
        self._text = text
        self._at = 0
        self._section: Path = ()
        self._lengths: dict[Path, int] = {}  # of each array of tables
        self._defined: dict[Path, int] = {}  # keys and headers; tables merely implied are not in it

    def run(self) -> None:
        self._skip(_BLANK)
        while self._at < len(self._text):
            start = self._at
            is_header = self._text[start] == "["
            if is_header:
                path = self._section = self._header(start)
            else:
                path = self._pair(self._section)
            self.statements.append(
                Statement(
                    path=path,
                    section=self._section,
                    is_header=is_header,
                    start=start,
                    end=self._at,
                )
            )
            self._skip(_LINE_END)
            self._skip(_BLANK)

    def _header(self, start: int) -> Path:
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        self._skip(_SPACE)
        path: Path = ()
        for part in self._key(start):
            path = self._within(path)
            path = (*path, part)
            self._note(path, start)
        if is_array:
            number = self._lengths[path] = self._lengths.get(path, -1) + 1
            path = (*path, number)
            self._note(path, start)
        self._define(path, start)
        self._skip(_SPACE)
        self._expect("]]" if is_array else "]")
        return path

    def _pair(self, table: Path) -> Path:
        start = self._at
        path = table
        for part in self._key(start):
            path = (*path, part)
            self._note(path, start)
        self._define(path, start)
        self._skip(_EQUALS)
        self._value(path)
        return path

    def _key(self, start: int) -> list[str]:
        parts = [self._key_part()]
        while dot := _DOT.match(self._text, self._at):
            if len(parts) >= MAX_DEPTH:
                raise _Deep(start)
            self._at = dot.end()
            parts.append(self._key_part())
        return parts

    def _key_part(self) -> str:
        found = self._skip(_KEY_PART)
        basic = found["basic"]
        if basic is None:
            return found[0] if found["bare"] is not None else found["literal"]
        if "\\" not in basic:
            return basic
        try:
            return next(iter(tomllib.loads(f"{found[0]} = 0")))
        except ValueError:
            raise _Strange from None

    def _value(self, path: Path) -> None:
        if self._text.startswith("[", self._at):
            self._items("]", lambda number: self._element((*path, number)))
        elif self._text.startswith("{", self._at):
            self._items("}", lambda _: self._pair(path))
        else:
            self._skip(_SCALAR)

    def _items(self, close: str, item: Callable[[int], object]) -> None:
        """What stands between brackets: items with commas between them."""
        self._at += 1
        self._skip(_BLANK)
        number = 0
        while not self._text.startswith(close, self._at):
            item(number)
            number += 1
            self._skip(_BLANK)
            if not self._text.startswith(close, self._at):
                self._expect(",")
                self._skip(_BLANK)
        self._at += 1

    def _element(self, path: Path) -> None:
        self._note(path, self._at)
        self._value(path)

    def _within(self, path: Path) -> Path:
        """The table that a header's path leads to: of an array of tables, the last one."""
        number = self._lengths.get(path)
        return path if number is None else (*path, number)

    def _note(self, path: Path, offset: int) -> None:
        if len(path) > MAX_DEPTH:
            raise _Deep(offset)
        self.offsets.setdefault(path, offset)

    def _define(self, path: Path, offset: int) -> None:
        first = self._defined.setdefault(path, offset)
        if first != offset and self.duplicate is None:
            self.duplicate = (path, offset, first)

    def _skip(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Strange
        self._at = found.end()
        return found

    def _expect(self, token: str) -> None:
        if not self._text.startswith(token, self._at):
            raise _Strange
        self._at += len(token)
