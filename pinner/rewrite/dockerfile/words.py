"""Words of a Dockerfile: quotes, escapes and variables, as BuildKit's shell lexer has them.

$NAME ${NAME}  ${NAME:-word} ${NAME-word}  ${NAME:+word} ${NAME+word}  ${NAME:?text}
${NAME#pattern} ## % %%  ${NAME/pattern/text} //      `*` and `?` in patterns
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"[0-9]+|[@*#?\-$!]|[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MODIFIER: Final = re.compile(r":?[+\-?#%]|/")
_SPECIAL: Final = re.compile(r"""[$'"]""")
# Patterns are matched by backtracking; these bounds keep hostile ones cheap.
_MOST_WILDCARDS: Final = 4
_LONGEST_VALUE: Final = 1024
_DEEPEST: Final = 32
_NOTHING: Final = Located("", ())


class CannotExpand(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """BuildKit refuses the word; the message says why, in one line that is safe to print."""


@dataclass(frozen=True, slots=True)
class Expanded:
    """A word with its variables filled in.

    Attributes:
        unset: the variables that had no value and no default, by name.
        used: all variables that were looked at.
    """

    text: Located
    unset: frozenset[str]
    used: frozenset[str]


def expand(word: Located, values: Mapping[str, Located], *, escape: str) -> Expanded:
    """Fill in variables, take quotes and escapes away.

    Args:
        word: as it stands.
        values: of the variables that are set.
        escape: the file's escape character.

    Raises:
        CannotExpand: unclosed quotes or braces, a form that BuildKit does not know, or a variable
            that `:?` demands.
    """
    if not _SPECIAL.search(word.text) and escape not in word.text:
        return Expanded(word, frozenset(), frozenset())
    lexer = _Lexer(word, values, escape)
    text, _ = lexer.until("", raw=False, depth=0)
    return Expanded(text, frozenset(lexer.unset), frozenset(lexer.used))


@dataclass(slots=True)
class _Lexer:
    word: Located
    values: Mapping[str, Located]
    escape: str
    at: int = 0
    unset: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def until(self, stop: str, *, raw: bool, depth: int) -> tuple[Located, bool]:
        """All up to `stop`, which is passed over; whether it was there. Empty: to the end."""
        if depth > _DEEPEST:
            raise CannotExpand("its variables are nested too deeply")
        text = self.word.text
        parts: list[Located] = []
        while self.at < len(text):
            character = text[self.at]
            if character == stop:
                self.at += 1
                return Located.join(parts), True
            if character == "'":
                parts.append(self._single())
            elif character == '"':
                parts.append(self._double(depth))
            elif character == "$":
                parts.append(self._dollar(depth))
            elif character == self.escape:
                parts += self._escaped(raw=raw)
            else:
                parts.append(self._take(1))
        if stop:
            raise CannotExpand(f'"{safe(text, limit=80)}" has no closing {stop}')
        return Located.join(parts), False

    def _take(self, count: int) -> Located:
        self.at += count
        return self.word[self.at - count : self.at]

    def _escaped(self, *, raw: bool) -> list[Located]:
        escape = self._take(1)
        return [*([escape] if raw else []), self._take(1)]

    def _single(self) -> Located:
        end = self.word.text.find("'", self.at + 1)
        if end < 0:
            raise CannotExpand("a single quote is not closed")
        inside = self.word[self.at + 1 : end]
        self.at = end + 1
        return inside

    def _double(self, depth: int) -> Located:
        text = self.word.text
        parts: list[Located] = []
        self.at += 1
        while self.at < len(text):
            character = text[self.at]
            if character == '"':
                self.at += 1
                return Located.join(parts)
            if character == "$":
                parts.append(self._dollar(depth))
                continue
            if character == self.escape and text[self.at + 1 : self.at + 2] in {
                '"',
                "$",
                self.escape,
            }:
                self.at += 1
            parts.append(self._take(1))
        raise CannotExpand("a double quote is not closed")

    def _dollar(self, depth: int) -> Located:
        dollar = self._take(1)
        text = self.word.text
        if text[self.at : self.at + 1] != "{":
            name = self._name()
            return self._value(name) if name else dollar
        self.at += 1
        if text[self.at : self.at + 1] in {"", "{", "}", ":"}:
            raise CannotExpand(f'"{safe(text, limit=80)}" has a bad substitution')
        name = self._name()
        if text[self.at : self.at + 1] == "}":
            self.at += 1
            return self._value(name)
        found = _MODIFIER.match(text, self.at)
        if found is None:
            raise CannotExpand(f'"{safe(text, limit=80)}" has a modifier that is not supported')
        self.at = found.end()
        return self._modified(name, found[0], depth + 1)

    def _name(self) -> str:
        found = _NAME.match(self.word.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def _value(self, name: str) -> Located:
        self.used.add(name)
        if name not in self.values:
            self.unset.add(name)
        return self.values.get(name, _NOTHING)

    def _modified(self, name: str, modifier: str, depth: int) -> Located:
        if modifier == "/":
            return self._replaced(name, depth)
        kind = modifier[-1]
        word, _ = self.until("}", raw=kind in "#%", depth=depth)
        if kind in "#%":
            return self._trimmed(self._value(name), word.text, kind)
        self.used.add(name)
        value = self.values.get(name)
        absent = value is None or (modifier[0] == ":" and not value.text)
        if kind == "-":
            return word if value is None or absent else value
        if kind == "+":
            return _NOTHING if absent else word
        if value is None or absent:
            raise CannotExpand(f"{name}: {safe(word.text, limit=160) or 'must be set'}")
        return value

    @staticmethod
    def _trimmed(value: Located, word: str, kind: str) -> Located:
        greedy = word.startswith(kind)
        pattern = _pattern(word.removeprefix(kind), greedy=greedy)
        if len(value) > _LONGEST_VALUE:
            raise CannotExpand("the value of a variable is too long to be matched")
        if kind == "#":
            found = re.match(pattern, value.text, re.DOTALL)
            return value[found.end() :] if found else value
        # The shortest suffix begins last, the longest first.
        starts = range(len(value) + 1)
        for start in starts if greedy else reversed(starts):
            if re.fullmatch(pattern, value.text[start:], re.DOTALL):
                return value[:start]
        return value

    def _replaced(self, name: str, depth: int) -> Located:
        every = self.word.text[self.at : self.at + 1] == "/"
        self.at += every
        pattern, _ = self.until("/", raw=True, depth=depth)
        replacement, _ = self.until("}", raw=True, depth=depth)
        value = self._value(name)
        if len(value) > _LONGEST_VALUE:
            raise CannotExpand("the value of a variable is too long to be matched")
        parts, at = [], 0
        for found in re.finditer(_pattern(pattern.text, greedy=True), value.text, re.DOTALL):
            parts += [value[at : found.start()], replacement]
            at = found.end()
            if not every:
                break
        return Located.join([*parts, value[at:]])


def _pattern(text: str, *, greedy: bool) -> str:
    r"""A shell pattern as a regular expression: `*` and `?`, and `\` before one of them."""
    out, at, wildcards = [], 0, 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "*":
            wildcards += 1
            out.append(".*" if greedy else ".*?")
        elif character == "?":
            out.append(".")
        elif character == "\\":
            following = text[at : at + 1]
            if following and following in "*?\\":
                out.append(re.escape(following))
                at += 1
            elif following not in {"}", "/"}:
                raise CannotExpand(f'"{safe(text, limit=80)}" has an invalid escape')
        else:
            out.append(re.escape(character))
    if wildcards > _MOST_WILDCARDS:
        raise CannotExpand(f'"{safe(text, limit=80)}" has too many wildcards')
    return "".join(out)
