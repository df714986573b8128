"""Matching expressions in one pass over the tag, with all possibilities at once (a Pike machine).

images.toml comes in pull requests of strangers, and with it expressions that `re` takes years for.
Of the ways to be safe, this one holds for every expression and every tag:

- a time limit, as the package `regex` has one, makes the answer depend on how busy the machine is:
  `lock --check` would fail on some days. It also does not cover compiling (`((a{999}){999}){999}`),
  and needs a compiled dependency;
- a check that refuses what may be slow in `re` also refuses much that is harmless and common, such
  as `.*-jre`, or it lets something through;
- a machine that follows all possibilities at once takes at most as many steps as the expression has
  instructions, times the characters of the tag. Steps can be counted, which decides the same
  everywhere, and its size is known before it is built.

Captures are those of Python's `re`: earlier branches first, and as much as possible unless `?`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pinner.tagpolicy.expressions import Choice, Named, Node, One, Repeat, Sequence
from pinner.tagpolicy.wish import InvalidWish

_MOST_INSTRUCTIONS: Final = 400
_Saves = dict[str, int]


class TooManySteps(Exception):  # noqa: N818 - it is caught where the tags are known
    """More steps than were allowed."""


@dataclass(slots=True)
class Steps:
    """How many steps may still be taken."""

    left: int

    def take(self, number: int) -> None:
        """Count `number` steps.

        Raises:
            TooManySteps: there are not so many left.
        """
        self.left -= number
        if self.left < 0:
            raise TooManySteps


@dataclass(frozen=True, slots=True)
class _Read:
    characters: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Fork:
    """Go on at both, the first before the second."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class _Save:
    """Note the place: a group begins (`<name`) or ends (`>name`) here."""

    slot: str


@dataclass(frozen=True, slots=True)
class _Done:
    pass


_Instruction = _Read | _Fork | _Save | _Done


class Machine:
    """An expression that is ready to match."""

    def __init__(self, node: Node) -> None:
        """Build the machine.

        Raises:
            InvalidWish: it would be too large.
        """
        if _size(node) > _MOST_INSTRUCTIONS:
            raise InvalidWish("is too large when its repetitions are written out")
        self._program: list[_Instruction] = []
        self._emit(node)
        self._program.append(_Done())

    def match(self, text: str, steps: Steps) -> dict[str, str] | None:
        """The groups that took part in matching all of `text`; None if it does not match.

        Raises:
            TooManySteps: more than `steps` has left.
        """
        threads = self._follow([(0, {})], 0, steps)
        for at, character in enumerate(text, start=1):
            todo = []
            for counter, saves in threads.items():
                instruction = self._program[counter]
                if isinstance(instruction, _Read) and character in instruction.characters:
                    todo.append((counter + 1, saves))
            if not todo:
                return None
            threads = self._follow(todo, at, steps)
        last = len(self._program) - 1
        return _groups(text, threads[last]) if last in threads else None

    def _follow(self, todo: list[tuple[int, _Saves]], at: int, steps: Steps) -> dict[int, _Saves]:
        """Where to read on from, or be done; what was reached first is preferred."""
        threads: dict[int, _Saves] = {}
        seen: set[int] = set()
        todo.reverse()
        while todo:
            counter, saves = todo.pop()
            if counter in seen:
                continue
            seen.add(counter)
            match self._program[counter]:
                case _Fork(first=first, second=second):
                    todo.append((second, saves))
                    todo.append((first, saves))
                case _Save(slot=slot):
                    todo.append((counter + 1, {**saves, slot: at}))
                case _:
                    threads[counter] = saves
        steps.take(len(seen))
        return threads

    def _emit(self, node: Node) -> None:
        match node:
            case One(characters=characters):
                self._program.append(_Read(characters))
            case Sequence(parts=parts):
                for part in parts:
                    self._emit(part)
            case Named(name=name, part=part):
                self._program.append(_Save(f"<{name}"))
                self._emit(part)
                self._program.append(_Save(f">{name}"))
            case Choice(branches=(*others, last)):
                self._choose(others, last)
            case Repeat(part=part, least=least, most=most, is_lazy=is_lazy):
                for _ in range(least):
                    self._emit(part)
                if most is None:
                    self._loop(part, is_lazy=is_lazy)
                else:
                    self._options(part, most - least, is_lazy=is_lazy)

    def _choose(self, others: list[Node], last: Node) -> None:
        ends = []
        for branch in others:
            fork = self._reserve()
            self._emit(branch)
            ends.append(self._reserve())
            self._program[fork] = _Fork(fork + 1, len(self._program))
        self._emit(last)
        for end in ends:
            self._program[end] = _Fork(len(self._program), len(self._program))

    def _loop(self, part: Node, *, is_lazy: bool) -> None:
        fork = self._reserve()
        self._emit(part)
        self._program.append(_Fork(fork, fork))
        self._program[fork] = _fork(fork + 1, len(self._program), is_lazy=is_lazy)

    def _options(self, part: Node, number: int, *, is_lazy: bool) -> None:
        forks = []
        for _ in range(number):
            forks.append(self._reserve())
            self._emit(part)
        for fork in forks:
            self._program[fork] = _fork(fork + 1, len(self._program), is_lazy=is_lazy)

    def _reserve(self) -> int:
        """The place of an instruction that is written once its target is known."""
        self._program.append(_Done())
        return len(self._program) - 1


def _fork(into: int, past: int, *, is_lazy: bool) -> _Fork:
    return _Fork(past, into) if is_lazy else _Fork(into, past)


def _size(node: Node) -> int:
    """How many instructions a node becomes."""
    match node:
        case One():
            return 1
        case Sequence(parts=parts):
            return sum(map(_size, parts))
        case Named(part=part):
            return _size(part) + 2
        case Choice(branches=branches):
            return sum(map(_size, branches)) + 2 * (len(branches) - 1)
        case Repeat(part=part, least=least, most=most):
            if most is None:
                return _size(part) * (least + 1) + 2
            return _size(part) * most + most - least


def _groups(text: str, saves: _Saves) -> dict[str, str]:
    return {
        slot[1:]: text[saves[f"<{slot[1:]}"] : end] for slot, end in saves.items() if slot[0] == ">"
    }
