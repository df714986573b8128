"""Foreign text made safe for a terminal, a log or an error message.

Strings of registries, images and files can carry escape sequences that rewrite what a reviewer
sees (CWE-150). `safe` is the one way for such a string into any output.
"""

from __future__ import annotations

from typing import Final

_DEFAULT_LIMIT: Final = 500


def safe(text: str, *, limit: int = _DEFAULT_LIMIT) -> str:
    """`text` on one line, controls shown as escapes, cut to `limit` characters.

    What is escaped is what Python calls not printable: C0 and C1 controls, line and paragraph
    separators, bidirectional controls, zero-width and tag characters, spaces that are not " ",
    surrogates, and code points without a character. So the result can neither move the cursor nor
    forge a line nor hide a difference of spaces, nor fail to encode as UTF-8.
    """
    cut = text[:limit]
    shown = cut if cut.isprintable() else "".join(map(_shown, cut))
    return shown if len(text) <= limit else f"{shown}… (+{len(text) - limit})"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
