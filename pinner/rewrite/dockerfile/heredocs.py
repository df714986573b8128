r"""Which heredocs an instruction begins, as BuildKit sees it (parser: `heredocsFromLine`).

RUN cat <<EOF > /a       a word of its own: `<<NAME`, `<<-NAME`, `3<<NAME`, `<<"NAME"`
RUN echo $((1<<2))       none: the word begins otherwise
RUN echo ${a^^} <<EOF    none: BuildKit's shell lexer cannot take this line apart
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.words import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK: Final = re.compile(r"[ \t\v\f\r]+")
_HEREDOC: Final = re.compile(r"[0-9]*<<(?P<chomp>-?)(?P<name>[^<]+)")
_QUOTED: Final = re.compile(r"'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|\\(?P<one>.)")
_IN_DOUBLE: Final = re.compile(r"\\([\"$\\])")
_PLAIN: Final = re.compile(r"[^'\"$\\}/]+")
_DEEPEST: Final = 32


class _Unclear(Exception):  # noqa: N818 - an answer within this module
    """BuildKit's lexer gives up on this line."""


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One heredoc: the line that ends it, and whether tabs in front of that do not count."""

    terminator: str
    chomp: bool


def heredocs(line: str) -> Iterator[Heredoc]:
    """The heredocs of an instruction, in order.

    Args:
        line: the instruction with its lines joined; the escape character here is a backslash
            whatever the file says.
    """
    try:
        words = _Scanner(line).words()
    except _Unclear:
        return
    for word in words:
        found = _HEREDOC.fullmatch(word)
        name = _unquoted(found["name"]) if found else ""
        if found and name:
            yield Heredoc(name, bool(found["chomp"]))


def _unquoted(name: str) -> str:
    def inside(found: re.Match[str]) -> str:
        double = found["double"]
        if double is not None:
            return _IN_DOUBLE.sub(r"\1", double)
        return found["single"] or found["one"] or ""

    return _QUOTED.sub(inside, name)


class _Scanner:
    """Finds where words end: blanks within quotes or behind a backslash end none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.kept: list[tuple[int, int]] = []

    def words(self) -> list[str]:
        self._until("", depth=0)
        words, start = [], 0
        kept = iter([*self.kept, (len(self.text), len(self.text))])
        begin, end = next(kept)
        for blank in _BLANK.finditer(self.text):
            while end <= blank.start():
                begin, end = next(kept)
            if blank.start() < begin:
                words.append(self.text[start : blank.start()])
                start = blank.end()
        return [*words, self.text[start:]]

    def _until(self, stop: str, *, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Unclear
        text = self.text
        while self.at < len(text):
            character = text[self.at]
            if character == stop:
                self.at += 1
                return
            plain = _PLAIN.match(text, self.at)
            if plain is not None:
                self.at = plain.end()
            elif character == "$":
                self._dollar(depth)
            elif character in "'\"\\":
                start = self.at
                self._quoted(character, depth)
                if not depth:
                    self.kept.append((start, self.at))
            else:
                self.at += 1
        if stop:
            raise _Unclear

    def _quoted(self, quote: str, depth: int) -> None:
        text = self.text
        self.at += 1
        if quote == "\\":
            self.at += 1
            return
        while self.at < len(text):
            character = text[self.at]
            if character == quote:
                self.at += 1
                return
            if quote == '"' and character == "$":
                self._dollar(depth)
                continue
            escaped = quote == '"' and character == "\\" and text[self.at + 1 : self.at + 2]
            self.at += 2 if escaped and escaped in '"$\\' else 1
        raise _Unclear

    def _dollar(self, depth: int) -> None:
        text = self.text
        self.at += 1
        if not text.startswith("{", self.at):
            self._name()
            return
        self.at += 1
        if text[self.at : self.at + 1] in {"", "{", "}", ":"}:
            raise _Unclear
        self._name()
        modifier = text[self.at : self.at + 1]
        self.at += 1
        if modifier == "}":
            return
        if modifier == "/":
            self.at += text.startswith("/", self.at)
            self._until("/", depth=depth + 1)
        elif modifier == ":":
            self.at += 1
        elif not modifier or modifier not in "+-?#%":
            raise _Unclear
        self._until("}", depth=depth + 1)

    def _name(self) -> None:
        found = NAME.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
