"""Variables in a compose file, as compose fills them in (compose-go, `template`).

$NAME ${NAME}                       a value from outside: nobody knows which
${NAME:-word} ${NAME-word}          `word` where nobody gives another
${NAME:+word} ${NAME+word}          nothing
${NAME:?text} ${NAME?text}          an error
$$                                  a dollar
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OPERATOR: Final = re.compile(r":?[-+?]")
_DEEPEST: Final = 16


class CannotInterpolate(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """Compose refuses the text; the message says why, in one line that is safe to print."""


@dataclass(frozen=True, slots=True)
class Interpolated:
    """Text with its variables filled in.

    Attributes:
        unset: variables without a value in the file; compose takes them for empty.
    """

    text: Located
    unset: tuple[str, ...]


def interpolate(text: Located) -> Interpolated:
    """Fill in the defaults of variables.

    Raises:
        CannotInterpolate: a form that compose does not know, or a variable that it demands.
    """
    if "$" not in text.text:
        return Interpolated(text, ())
    unset: dict[str, None] = {}
    parts = _filled(text, unset, 0)
    return Interpolated(Located.join(parts), tuple(unset))


def _filled(text: Located, unset: dict[str, None], depth: int) -> Iterator[Located]:
    if depth > _DEEPEST:
        raise CannotInterpolate("its variables are nested too deeply")
    at = 0
    while (dollar := text.text.find("$", at)) >= 0:
        yield text[at:dollar]
        at = dollar + 1
        if text.text.startswith("$", at):
            yield Located.made("$")
            at += 1
        elif text.text.startswith("{", at):
            end = _closing(text.text, at)
            yield from _braced(text[at + 1 : end], unset, depth)
            at = end + 1
        else:
            name = _NAME.match(text.text, at)
            if name is None:
                raise CannotInterpolate("it has a dollar that begins no variable")
            unset[name[0]] = None
            at = name.end()
    yield text[at:]


def _closing(text: str, at: int) -> int:
    """Where the brace at `at` closes; only those of variables count."""
    depth = 0
    for found in re.compile(r"\$\{|\}").finditer(text, at + 1):
        if found[0] == "}" and depth == 0:
            return found.start()
        depth += 1 if found[0] != "}" else -1
    raise CannotInterpolate("a brace is not closed")


def _braced(inside: Located, unset: dict[str, None], depth: int) -> Iterator[Located]:
    name = _NAME.match(inside.text)
    if name is None:
        raise CannotInterpolate("it has braces without a variable")
    if name.end() == len(inside):
        unset[name[0]] = None
        return
    operator = _OPERATOR.match(inside.text, name.end())
    if operator is None:
        raise CannotInterpolate("it has a form of variable that compose does not know")
    if operator[0].endswith("?"):
        raise CannotInterpolate(f"compose demands that {safe(name[0], limit=80)} is set")
    if operator[0].endswith("-"):
        yield from _filled(inside[operator.end() :], unset, depth + 1)
