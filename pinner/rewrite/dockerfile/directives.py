"""Directives: `# name=value` lines at the very top of a Dockerfile (parser/directives.go).

# escape=`                  counts with blanks in front, and only on the first lines of the file
# syntax=IMAGE words        only at the beginning of a line, but a shebang may stand above
//syntax=IMAGE              and `{"syntax": "IMAGE"}`: other frontends' own forms
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.blanks import SPACE, left_stripped
from pinner.rewrite.dockerfile.refusals import MalformedDockerfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pinner.rewrite.located import Located

BOM: Final = "\xef\xbb\xbf"
_DIRECTIVE: Final = re.compile(
    rf"(?:#|//)[{SPACE}]*(?P<name>[a-zA-Z][a-zA-Z0-9]*)[{SPACE}]*=[{SPACE}]*(?P<value>[^{SPACE}].*)"
)
_KNOWN: Final = frozenset({"syntax", "check", "escape"})
_ESCAPES: Final = frozenset({"\\", "`"})


def escape_character(lines: Sequence[str]) -> str:
    r"""The character that escapes and continues lines: a backslash or a backtick.

    Raises:
        MalformedDockerfile: another one, or a directive that is there twice.
    """
    escape = "\\"
    seen: set[str] = set()
    for _, found in _directives((left_stripped(line) for line in lines), "#"):
        name = found["name"].lower()
        if name in seen:
            raise MalformedDockerfile(f"only one {name} directive can be used", 0)
        seen.add(name)
        if name == "escape":
            escape = found["value"].rstrip(SPACE)
            if escape not in _ESCAPES:
                raise MalformedDockerfile("the escape directive is neither \\ nor `", 0)
    return escape


def syntax_image(source: Located, lines: Sequence[str], starts: Sequence[int]) -> Located | None:
    """The image that `# syntax=` names; None where there is none."""
    shebang = lines[0].startswith("#!")
    for number, found in _directives(lines[shebang:], "#"):
        if found["name"].lower() == "syntax":
            start = starts[number + shebang] + found.start("value")
            return source[start : start + len(found["value"].rstrip(SPACE).split(" ", 1)[0])]
    return None


def foreign_syntax(text: str, lines: Sequence[str], starts: Sequence[int]) -> int | None:
    """Where `syntax` stands in a form of other frontends; None where it does not."""
    shebang = lines[0].startswith("#!")
    for number, found in _directives(lines[shebang:], "//"):
        if found["name"].lower() == "syntax":
            return starts[number + shebang]
    if shebang < len(lines) and lines[shebang].lstrip(SPACE)[:1] in {"", "{"}:
        try:
            document = json.loads(text[starts[shebang] :])
        except (ValueError, RecursionError):
            return None
        if isinstance(document, dict) and isinstance(document.get("syntax"), str):
            return starts[shebang]
    return None


def _directives(
    lines: Sequence[str] | Iterator[str], comment: str
) -> Iterator[tuple[int, re.Match[str]]]:
    """The directives at the top, each with the number of its line from 0."""
    for number, line in enumerate(lines):
        found = _DIRECTIVE.fullmatch(line) if line.startswith(comment) else None
        if found is None or found["name"].lower() not in _KNOWN:
            return
        yield number, found
