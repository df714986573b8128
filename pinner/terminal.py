"""Foreign text made safe for a terminal, a log or an error message.

Strings of registries, images and files can carry escape sequences that rewrite what a reviewer
sees (CWE-150). `safe` is the one way for such a string into any output.
"""

from __future__ import annotations

import unicodedata

_DEFAULT_LIMIT = 500
# Cc: C0 and C1 controls. Cf: bidi overrides, zero-width and tag characters. Cs: lone surrogates.
# Zl, Zp: line and paragraph separators. Co, Cn: nothing that a terminal could show.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"})


def safe(text: str, *, limit: int = _DEFAULT_LIMIT) -> str:
    """`text` on one line, controls shown as escapes, cut to `limit` characters.

    The result never holds a control character, a line break, a bidirectional control or a
    surrogate, so it can neither move the cursor nor forge a line nor fail to encode as UTF-8.
    """
    cut = text[:limit]
    shown = cut if cut.isascii() and cut.isprintable() else "".join(map(_shown, cut))
    return shown if len(text) <= limit else f"{shown}… (+{len(text) - limit})"


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")
