"""Blanks as BuildKit has them: ASCII between words, any of Unicode's at both ends of a line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pinner.rewrite.located import Located

SPACE: Final = " \t\v\f\r"
# Flags are read byte by byte, so two bytes that are blanks in Latin-1 end them (Go: IsSpace).
FLAG_SPACE: Final = f"{SPACE}\x85\xa0"
# White space beyond ASCII (Go: unicode.IsSpace), UTF-8 read as Latin-1.
_WIDE: Final = tuple(
    blank.encode().decode("latin-1")
    for blank in "\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
    + "".join(chr(code) for code in range(0x2000, 0x200B))
)
_LEADING: Final = re.compile(f"(?:[{SPACE}]|{'|'.join(_WIDE)})*")
_FIRST_BYTES: Final = frozenset(blank[0] for blank in _WIDE)


def left_stripped(line: str) -> str:
    """A line without the blanks that it begins with."""
    text = line.lstrip(SPACE)
    if text[:1] in _FIRST_BYTES:
        found = _LEADING.match(text)
        return text[found.end() :] if found else text
    return text


def right_stripped(text: Located) -> Located:
    """A text without the blanks that it ends with."""
    bare = text.text.rstrip(SPACE)
    while bare.endswith(_WIDE):
        wide = next(blank for blank in _WIDE if bare.endswith(blank))
        bare = bare.removesuffix(wide).rstrip(SPACE)
    return text if len(bare) == len(text.text) else text[: len(bare)]
