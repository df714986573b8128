r"""Regular expressions over tags: the grammar that images.toml may use.

    expression := ["^"] choice ["$"]            the whole tag, with or without these
    choice     := sequence ("|" sequence)*
    sequence   := (atom [count ["?"]])*
    atom       := character | "." | class | ("(" | "(?:" | "(?P<name>") choice ")"
    class      := "[" ["^"] (character ["-" character])+ "]"
    count      := "?" | "*" | "+" | "{m}" | "{m,}" | "{m,n}"
    character  := a letter, a digit, or another behind "\"; \d \D \w \W are classes

It means what Python's `re` makes of it. What is missing there (backreferences, looking around,
flags) is what cannot be matched in one pass (see `machine`), or what no tag needs.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import Final

from pinner.tagpolicy.wish import InvalidWish
from pinner.terminal import safe

DIGITS: Final = frozenset(string.digits)
_WORD: Final = frozenset(string.ascii_letters + string.digits + "_")
_ALL: Final = _WORD | {".", "-"}  # a tag has no other characters
_CLASSES: Final = {"d": DIGITS, "D": _ALL - DIGITS, "w": _WORD, "W": _ALL - _WORD}
_LONGEST: Final = 400
_DEEPEST: Final = 20
_MOST: Final = 128  # a tag is no longer
_NAMED: Final = re.compile(r"\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
_COUNT: Final = re.compile(r"[?*+]|\{([0-9]{1,3})(?:(,)([0-9]{1,3})?)?\}")
_SIMPLE: Final = {"?": (0, 1), "*": (0, None), "+": (1, None)}


@dataclass(frozen=True, slots=True)
class One:
    """One character out of some."""

    characters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first that leads to a match."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same, from `least` to `most` times; None for no end."""

    part: Node
    least: int
    most: int | None
    is_lazy: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A group with a name."""

    name: str
    part: Node


Node = One | Sequence | Choice | Repeat | Named


def parse_expression(text: str) -> Node:
    """What `text` says.

    Raises:
        InvalidWish: it is no regular expression, or has something in it that is not understood.
    """
    if len(text) > _LONGEST:
        raise InvalidWish(f"is longer than {_LONGEST} characters")
    if not (text.isascii() and text.isprintable()):
        raise InvalidWish("has characters that no tag has", mend="tags have A-Z a-z 0-9 _ . -")
    return _Parser(text).whole()


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    match node:
        case Sequence(parts=nodes) | Choice(branches=nodes):
            return nodes
        case Repeat(part=part) | Named(part=part):
            return (part,)
        case One():
            return ()


def may_be_empty(node: Node) -> bool:
    """Whether the node matches nothing at all."""
    match node:
        case One():
            return False
        case Choice(branches=branches):
            return any(map(may_be_empty, branches))
        case Repeat(part=part, least=least):
            return least == 0 or may_be_empty(part)
        case Sequence() | Named():
            return all(map(may_be_empty, children(node)))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._end = len(text)
        self._names: set[str] = set()

    def whole(self) -> Node:
        self._take("^")
        if self._text.endswith("$") and not self._text.endswith("\\$"):
            self._end -= 1
        node = self._choice(0)
        if self._at < self._end:
            raise self._refused("a parenthesis closes that was not opened")
        return node

    def _choice(self, depth: int) -> Node:
        if depth > _DEEPEST:
            raise self._refused(f"groups are nested more than {_DEEPEST} deep")
        branches = [self._sequence(depth)]
        while self._take("|"):
            branches.append(self._sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self._at < self._end and self._text[self._at] not in "|)":
            parts.append(self._counted(self._atom(depth)))
        return Sequence(tuple(parts))

    def _counted(self, atom: Node) -> Node:
        found = _COUNT.match(self._text, self._at, self._end)
        if found is None:
            return atom
        if may_be_empty(atom):
            raise self._refused("what may be empty is repeated")
        self._at = found.end()
        least, most = _SIMPLE.get(found[0]) or _numbers(found)
        if max(least, most or 0) > _MOST or (most is not None and most < least):
            raise self._refused(f"{found[0]} is no count from 0 to {_MOST}")
        return Repeat(atom, least, most, is_lazy=self._take("?"))

    def _atom(self, depth: int) -> Node:
        character = self._next()
        match character:
            case "(":
                return self._group(depth)
            case "[":
                return One(self._class())
            case ".":
                return One(_ALL)
            case "\\":
                return One(self._escaped())
            case "^" | "$":
                raise self._refused(f"{character} stands inside", "^ comes first and $ last")
            case "?" | "*" | "+" | "{" | "}" | "]":
                raise self._refused(f"{character} means nothing there")
        return One(frozenset(character))

    def _group(self, depth: int) -> Node:
        if self._text.startswith("?:", self._at):
            self._at += 2
            name = None
        elif named := _NAMED.match(self._text, self._at, self._end):
            self._at = named.end()
            name = named[1]
            if name in self._names:
                raise self._refused(f'two groups are named "{safe(name)}"')
            self._names.add(name)
        elif self._take("?"):
            raise self._refused("a group begins with (?", "groups are (…), (?:…) and (?P<name>…)")
        else:
            name = None
        part = self._choice(depth + 1)
        if not self._take(")"):
            raise self._refused("a parenthesis is not closed")
        return part if name is None else Named(name, part)

    def _class(self) -> frozenset[str]:
        is_negated = self._take("^")
        found: set[str] = set()
        is_first = True
        while is_first or not self._take("]"):
            is_first = False
            first = self._member()
            if self._text[self._at : self._at + 1] == "-" and self._peek(1) != "]":
                self._at += 1
                last = self._member()
                if len(first) != 1 or len(last) != 1 or min(first) > min(last):
                    raise self._refused("a range of characters has no order")
                low, high = map(ord, (min(first), min(last)))
                first = frozenset(map(chr, range(low, high + 1)))
            found |= first
        return _ALL - found if is_negated else frozenset(found)

    def _member(self) -> frozenset[str]:
        character = self._next()
        return self._escaped() if character == "\\" else frozenset(character)

    def _escaped(self) -> frozenset[str]:
        character = self._next()
        if character in _CLASSES:
            return _CLASSES[character]
        if character.isalnum():
            raise self._refused(f"\\{character} is not understood")
        return frozenset(character)

    def _next(self) -> str:
        character = self._peek(0)
        if not character:
            raise self._refused("it ends too early")
        self._at += 1
        return character

    def _peek(self, offset: int) -> str:
        at = self._at + offset
        return self._text[at] if at < self._end else ""

    def _take(self, character: str) -> bool:
        if self._peek(0) != character:
            return False
        self._at += 1
        return True

    def _refused(self, why: str, mend: str | tuple[str, ...] = ()) -> InvalidWish:
        shown = safe(self._text, limit=160)
        return InvalidWish(f'"{shown}" at character {self._at}: {safe(why)}', mend=mend)


def _numbers(found: re.Match[str]) -> tuple[int, int | None]:
    least, comma, most = found.groups()
    if not comma:
        return int(least), int(least)
    return int(least), int(most) if most else None
