"""A TOML file from bytes that nobody vouches for: bounded, UTF-8, values and places."""

from __future__ import annotations

import functools
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import FileProblems, Problem
from pinner.terminal import safe
from pinner.tomlfiles.names import shown
from pinner.tomlfiles.scan import MAX_DEPTH, TooDeep, scan

if TYPE_CHECKING:
    from pinner.tomlfiles.layout import Layout, Path

_MIB: Final = 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_AT: Final = re.compile(r" \(at (?:line (?P<line>[0-9]+), column (?P<column>[0-9]+)|end of .*)\)$")
# The interpreter refuses to read decimal numbers above 4,300 digits.
# From its first digit on: tried from each, numbers that are long enough to read would take seconds.
_LONG_NUMBER: Final = re.compile(r"(?<![0-9_])[0-9][0-9_]{4300,}+")
_CONFLICT: Final = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?: |\r?$)", re.MULTILINE)


class Document:
    """A TOML file that was read.

    Attributes:
        path: the file as messages name it.
        values: what tomllib makes of it.
    """

    def __init__(self, *, path: str, text: str, values: dict[str, Any]) -> None:
        self.path = path
        self.text = text
        self.values = values

    @classmethod
    def parse(
        cls,
        data: bytes,
        *,
        path: str,
        limit: int,
        mend: str = "",
        conflict_mend: str = "resolve it",
    ) -> Document:
        """The document that `data` holds.

        Args:
            data: the file, whole.
            path: the file as messages shall name it.
            limit: how many bytes it may have.
            mend: what helps with a file that is not TOML.
            conflict_mend: what helps with the marks of a merge conflict.

        Raises:
            FileProblems: too large, not UTF-8, too deep or not TOML; with line and column where
                there are any.
        """
        text = decode(data, path=path, limit=limit)
        try:
            layout = scan(text)
            values = tomllib.loads(text)
        except TooDeep as error:
            what = f"nests more than {MAX_DEPTH} keys or brackets"
            raise _refusal(f"{path}:{error.line}", what) from None
        except (ValueError, RecursionError) as error:
            if conflict := _CONFLICT.search(text):
                where = f"{path}:{layout.line_at(conflict.start())}"
                what = "has the marks of a merge conflict"
                raise _refusal(where, what, conflict_mend) from error
            problem = _syntax_problem(error, text, layout, path)
            raise FileProblems((problem,), mend=mend or ()) from error
        document = cls(path=path, text=text, values=values)
        document.layout = layout
        return document

    @functools.cached_property
    def layout(self) -> Layout:
        """Where everything stands."""
        return scan(self.text)

    def where(self, path: Path) -> str:
        """`file:line` of a place."""
        return f"{self.path}:{self.layout.line(path)}"


def decode(data: bytes, *, path: str, limit: int) -> str:
    """The text of a file.

    Raises:
        FileProblems: too large, with a byte order mark, or not UTF-8.
    """
    if len(data) > limit:
        raise _refusal(path, f"is larger than {limit // _MIB} MiB")
    if data.startswith(_UTF16):
        raise _refusal(path, "is UTF-16", "save it as UTF-8")
    if data.startswith(_BOM):
        raise _refusal(f"{path}:1", "begins with a byte order mark", "save it as UTF-8 without one")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(f"{path}:{line}", "is not UTF-8 text", "save it as UTF-8") from None


def _syntax_problem(error: Exception, text: str, layout: Layout, path: str) -> Problem:
    """What tomllib refused, in words for the author of the file."""
    if not isinstance(error, tomllib.TOMLDecodeError):
        number = _LONG_NUMBER.search(text)
        line = layout.line_at(number.start()) if number else 1
        return Problem(where=f"{path}:{line}", what="is not TOML: a number is too long")
    message = str(error)
    at = _AT.search(message)
    if at is not None and at["line"]:
        line, where, end = int(at["line"]), f"{at['line']}:{at['column']}", ""
    else:
        line = layout.line_at(len(text.rstrip()))
        where, end = str(line), " at the end of the file"
    duplicate = layout.duplicate
    if duplicate is not None and duplicate.line <= line:
        return Problem(
            where=f"{path}:{duplicate.line}",
            what=f"{shown(duplicate.path)} is there already, in line {duplicate.first_line}",
            mend="leave one of them out, or give it another name",
        )
    reason = safe(_AT.sub("", message))
    return Problem(
        where=f"{path}:{where}", what=f"is not TOML: {reason[:1].lower()}{reason[1:]}{end}"
    )


def _refusal(where: str, what: str, mend: str = "") -> FileProblems:
    return FileProblems((Problem(where=where, what=what, mend=mend),))
