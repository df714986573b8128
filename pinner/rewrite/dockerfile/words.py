"""Words of a Dockerfile: quotes, escapes and variables, as BuildKit's shell lexer has them.

$NAME ${NAME}  ${NAME:-word} ${NAME-word}  ${NAME:+word} ${NAME+word}  ${NAME:?text}
${NAME#pattern} ## % %%  ${NAME/pattern/text} //      `*` and `?` in patterns
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.patterns import STAR, as_expression, pattern_pieces
from pinner.rewrite.dockerfile.refusals import CannotExpand
from pinner.rewrite.located import Located
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = re.compile(r"[0-9]+|[@*#?\-$!]|[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MODIFIER: Final = re.compile(r":?[+\-?#%]|/")
_SPECIAL: Final = re.compile(r"""[$'"]""")
# Characters that mean nothing in any state.
_PLAIN: Final = re.compile(r"[^'\"$\\`}/]+")
# A reference has at most some 500 characters; the bound keeps values cheap that double with each
# ARG. A pattern with `*` is tried from every character of a value, so that has a bound of its own.
_LONGEST: Final = 1024
_LONGEST_SEARCHED: Final = 128
_DEEPEST: Final = 32
_NOTHING: Final = Located("", ())


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
    text = lexer.until("", raw=False, depth=0)
    return Expanded(text, frozenset(lexer.unset), frozenset(lexer.used))


@dataclass(slots=True)
class _Lexer:
    word: Located
    values: Mapping[str, Located]
    escape: str
    at: int = 0
    unset: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def until(self, stop: str, *, raw: bool, depth: int) -> Located:
        """All up to `stop`, which is passed over; empty: to the end."""
        if depth > _DEEPEST:
            raise CannotExpand("its variables are nested too deeply")
        text = self.word.text
        parts: list[Located] = []
        while self.at < len(text):
            character = text[self.at]
            if character == stop:
                self.at += 1
                return _joined(parts)
            if character == "'":
                parts.append(self._single())
            elif character == '"':
                parts.append(self._double(raw=raw, depth=depth))
            elif character == "$":
                parts.append(self._dollar(depth))
            elif character == self.escape:
                parts += self._escaped(raw=raw)
            else:
                parts.append(self._plain())
        if stop:
            raise CannotExpand(f'"{safe(text, limit=80)}" has no closing {stop}')
        return _joined(parts)

    def _take(self, count: int) -> Located:
        self.at += count
        return self.word[self.at - count : self.at]

    def _plain(self) -> Located:
        found = _PLAIN.match(self.word.text, self.at)
        return self._take(found.end() - self.at if found else 1)

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

    def _double(self, *, raw: bool, depth: int) -> Located:
        text = self.word.text
        parts: list[Located] = []
        self.at += 1
        while self.at < len(text):
            character = text[self.at]
            if character == '"':
                self.at += 1
                return _joined(parts)
            if character == "$":
                parts.append(self._dollar(depth))
            elif character == self.escape:
                if raw:
                    parts.append(self.word[self.at : self.at + 1])
                self.at += text[self.at + 1 : self.at + 2] in {'"', "$", self.escape}
                parts.append(self._take(1))
            else:
                parts.append(self._plain())
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
        found = NAME.match(self.word.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def _value(self, name: str) -> Located:
        self.used.add(name)
        if name not in self.values:
            self.unset.add(name)
        value = self.values.get(name, _NOTHING)
        if len(value) > _LONGEST:
            raise CannotExpand(f"the value of {name} is longer than any reference")
        return value

    def _modified(self, name: str, modifier: str, depth: int) -> Located:
        if modifier == "/":
            return self._replaced(name, depth)
        kind = modifier[-1]
        if kind in "#%":
            word = self.until("}", raw=True, depth=depth)
            return self._trimmed(self._value(name), word.text, kind)
        self.used.add(name)
        value = self.values.get(name)
        absent = value is None or (modifier[0] == ":" and not value.text)
        word = self._word(depth, counts=absent if kind == "-" else kind == "+" and not absent)
        if kind == "-":
            return word if value is None or absent else value
        if kind == "+":
            return _NOTHING if absent else word
        if value is None or absent:
            raise CannotExpand(f"{name}: {safe(word.text, limit=160) or 'must be set'}")
        return value

    def _word(self, depth: int, *, counts: bool) -> Located:
        """The word behind a modifier; what it needs is forgotten where it does not count."""
        unset, used = self.unset, self.used
        self.unset, self.used = set(), set()
        word = self.until("}", raw=False, depth=depth)
        if counts:
            unset |= self.unset
            used |= self.used
        self.unset, self.used = unset, used
        return word

    @staticmethod
    def _trimmed(value: Located, word: str, kind: str) -> Located:
        greedy = word.startswith(kind)
        pieces = pattern_pieces(word.removeprefix(kind))
        if kind == "#":
            found = re.match(as_expression(pieces, greedy=greedy), value.text, re.DOTALL)
            return value[found.end() :] if found else value
        # A suffix is a prefix of the reversed text.
        pieces.reverse()
        found = re.match(as_expression(pieces, greedy=greedy), value.text[::-1], re.DOTALL)
        return value[: len(value) - found.end()] if found else value

    def _replaced(self, name: str, depth: int) -> Located:
        every = self.word.text[self.at : self.at + 1] == "/"
        self.at += every
        pieces = pattern_pieces(self.until("/", raw=True, depth=depth).text)
        replacement = self.until("}", raw=True, depth=depth)
        value = self._value(name)
        if pieces.count(STAR) > (len(value) <= _LONGEST_SEARCHED):
            raise CannotExpand(f"the value of {name} is too long to be searched for this pattern")
        parts: list[Located] = []
        at = 0
        for found in re.finditer(as_expression(pieces, greedy=True), value.text, re.DOTALL):
            if parts and found.start() == found.end() == at:
                continue  # Go takes no empty match right behind another
            parts += [value[at : found.start()], replacement]
            at = found.end()
            if not every:
                break
        return _joined([*parts, value[at:]])


def _joined(parts: list[Located]) -> Located:
    if sum(map(len, parts)) > _LONGEST:
        raise CannotExpand("it becomes longer than any reference")
    return Located.join(parts)
