"""Names of entries, and how messages spell keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.tomlfiles.layout import Path

NAME_LIMIT: Final = 128  # as many as a tag may have
NAME_RULE: Final = (
    f"a name has up to {NAME_LIMIT} lower-case letters, digits and . _ -, a letter or digit first"
)
_NAME: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{NAME_LIMIT - 1}}}", re.ASCII)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SHOWN: Final = 80


def is_name(text: str) -> bool:
    """Whether `text` may name an entry (design section 2)."""
    return _NAME.fullmatch(text) is not None


def shown(path: Path) -> str:
    """The key path as TOML would have it, safe for a terminal; numbers of elements are left out.

    `("registries", "localhost:5000", "mirrors", 0)` is shown as
    `registries."localhost:5000".mirrors`.
    """
    return ".".join(key_text(part) for part in path if isinstance(part, str))


def key_text(key: str) -> str:
    """One key as TOML would have it, in quotes only where it needs them."""
    return key if _BARE.fullmatch(key) and len(key) <= _SHOWN else f'"{safe(key, limit=_SHOWN)}"'
