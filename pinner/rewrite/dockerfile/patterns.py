r"""Patterns behind `#`, `%` and `/` in `${NAME#pattern}`: `*`, `?`, and `\` before one of them.

They become regular expressions that never try twice: all but the last `*` take as little as they
can and keep it, which finds the same matches as trying everything.
"""

from __future__ import annotations

import re
from typing import Final

from pinner.rewrite.dockerfile.refusals import CannotExpand
from pinner.terminal import safe

STAR: Final = ""
"""The piece of a pattern that stands for `*`; others are regular expressions for a character."""


def pattern_pieces(text: str) -> list[str]:
    r"""A pattern, taken apart.

    Raises:
        CannotExpand: a backslash before something that needs none.
    """
    pieces: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "*":
            pieces.append(STAR)
        elif character == "?":
            pieces.append(".")
        elif character == "\\":
            following = next(characters, "")
            # `}` and `/` need a backslash to get here; it is no part of the pattern.
            if not following or following not in "*?\\}/":
                raise CannotExpand(f'"{safe(text, limit=80)}" has an invalid escape')
            pieces.append(re.escape(following))
        else:
            pieces.append(re.escape(character))
    return pieces


def as_expression(pieces: list[str], *, greedy: bool) -> str:
    """The regular expression; `greedy` matches as much as it can, otherwise as little."""
    segments = [""]
    for piece in pieces:
        if piece == STAR:
            segments.append("")
        else:
            segments[-1] += piece
    first, *others = segments
    if not others:
        return first
    middle = "".join(f"(?>.*?{segment})" for segment in others[:-1])
    return f"{first}{middle}{'.*' if greedy else '.*?'}{others[-1]}"
