"""Which files of an image are changelogs that may name fixes."""

from __future__ import annotations

import re
from typing import Final

_CHANGELOG: Final = re.compile(
    r"usr/share/doc/[^/]+/changelog(?:\.Debian(?:\.[a-z0-9-]+)?)?(?:\.gz)?"
)


def wants_changelog(path: str) -> bool:
    """Whether this is a package's changelog (Debian policy 12.7); upstream's may be among them."""
    return _CHANGELOG.fullmatch(path) is not None
