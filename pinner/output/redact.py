"""Secrets taken out of text that nobody wrote with care: messages of unexpected exceptions.

Expected errors never hold a secret in the first place (`pinner.registry` sees to that); a bug's
message or traceback may quote a header or a presigned URL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_HIDDEN: Final = "***"
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    # Credentials before the host, and everything behind the path of a URL.
    (re.compile(r"(?<=://)[^/\s@'\"]+@"), f"{_HIDDEN}@"),
    # (One without such an end is matched too: else each of many in a row is read to the end.)
    (
        re.compile(r"(https?://[^\s'\"?#<>]++)([?#][^\s'\"<>]++)?"),
        lambda found: f"{found[1]}?{_HIDDEN}" if found[2] else found[1],
    ),
    # The value of an Authorization or Cookie header, in any spelling of headers.
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{4,}"), rf"\1 {_HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:authorization|cookie|password|passwd|secret|token|identitytoken|auth)"
            r"b?[\"']?\s*[:=,]\s*b?[\"']?)(?!bearer |basic )[^\s\"',)}]+"
        ),
        rf"\1{_HIDDEN}",
    ),
)


def redact(text: str) -> str:
    """`text` with credentials, tokens and the query strings of URLs replaced by `***`."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
