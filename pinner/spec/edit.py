"""`add` and `remove`: images.toml edited in place.

Lines are put in and taken out of the text as it is; nothing is written anew, so that comments,
order, quotes, blank lines and line ends stay. (tomlkit was tried: it ends added lines with LF in a
CRLF file, drops the comment above the table behind a removed one, and cannot remove from a table
that is continued later in the file.) Every edit is checked by reading the result again; what
cannot be edited like this is refused, never guessed.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError
from pinner.oci.reference import Reference
from pinner.spec.parse import SPEC_LIMIT
from pinner.terminal import safe
from pinner.tomlfiles.document import Document
from pinner.tomlfiles.names import NAME_LIMIT, NAME_RULE, is_name, key_text
from pinner.tomlfiles.table import type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.tomlfiles.layout import Path, Statement

_IMAGES: Final = ("images",)
_FIRST_BLANKS: Final = re.compile(r"\A(?:[ \t]*\r?\n)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """An entry to add.

    Attributes:
        is_named: whether the user chose the name; else it comes from the repository.
    """

    name: str
    reference: Reference
    is_named: bool = True

    @classmethod
    def parse(cls, text: str) -> Addition:
        """The addition that `[NAME=]REFERENCE` asks for.

        Without a name, it is the last part of the repository's path: `node` for
        `registry.example/team/node:22`.

        Raises:
            InvalidReference: what it names is no reference.
            InputError: the name cannot be one.
        """
        name, is_named, reference = text.rpartition("=")
        parsed = Reference.parse(reference)
        if is_named and not is_name(name):
            raise InputError(f'"{safe(name, limit=80)}" cannot be a name', mend=NAME_RULE)
        return cls(
            name=name or parsed.path.rpartition("/")[2][:NAME_LIMIT],
            reference=parsed,
            is_named=bool(is_named),
        )


def add_entry(text: str, addition: Addition, *, path: str) -> str:
    """The text of an images.toml with one more entry, in its short form.

    The entry stands behind the others of `[images]`; where there is no such table, one is put at
    the end. An empty text is a file that is not there yet.

    Raises:
        InputError: the name is taken, or the file is written in a way that cannot be edited.
        FileProblems: the file is not TOML.
    """
    document = _parse(text, path)
    images = _images(document)
    name, reference = addition.name, addition.reference.familiar()
    if name in images:
        mend = "choose another name"
        if not addition.is_named:
            mend = f"give this one a name: `pinner add NAME={reference}`"
        raise InputError(f'has an image "{name}" already', where=path, mend=mend)
    newline = "\r\n" if "\r\n" in text else "\n"
    at, lines = _addition(document, f'{key_text(name)} = "{reference}"', newline)
    before, after = text[:at], text[at:]
    if before and not before.endswith("\n"):
        before += newline
    return _checked(before + lines + after, document, images | {name: reference})


def remove_entry(text: str, name: str, *, path: str) -> str:
    """The text of an images.toml without this entry.

    A comment on a line that goes, goes with it; one between the lines of the entry's own table
    does too. Others stay.

    Raises:
        InputError: there is no such entry, or the file cannot be edited.
        FileProblems: the file is not TOML.
    """
    document = _parse(text, path)
    images = _images(document)
    if name not in images:
        close = difflib.get_close_matches(name[:80], images, n=1)
        mend = f'did you mean "{close[0]}"?' if close else ()
        raise InputError(f'has no image "{safe(name, limit=80)}"', where=path, mend=mend)
    left = {key: value for key, value in images.items() if key != name}
    return _checked(_without(document, (*_IMAGES, name)), document, left)


def _addition(document: Document, line: str, newline: str) -> tuple[int, str]:
    """Where lines are put in, and which."""
    text = document.text
    last = _last_image(document.layout.statements)
    if last is None:
        gap = newline if text.strip() else ""
        return len(text), f"{gap}[images]{newline}{line}{newline}"
    indent = "" if last.is_header else text[_line_start(text, last.start) : last.start]
    dotted = "" if last.section else "images."
    return _line_end(text, last.end), f"{indent}{dotted}{line}{newline}"


def _last_image(statements: Sequence[Statement]) -> Statement | None:
    """The statement that a new entry stands behind: in `[images]`, else among `images.x = …`."""
    inside = [statement for statement in statements if statement.section == _IMAGES]
    dotted = [
        statement
        for statement in statements
        if statement.section == () and statement.path[:1] == _IMAGES
    ]
    return next(reversed(inside or dotted), None)


def _without(document: Document, path: Path) -> str:
    """The text without the statements at and below `path`, last ones first."""
    text = document.text
    for run in reversed(_runs(document.layout.statements, path)):
        start, end = _line_start(text, run[0].start), _line_end(text, run[-1].end)
        before, after = text[:start], text[end:]
        if run[0].is_header:
            # Of the blank lines around a table, those on one side go with it.
            if not after.strip():
                before, after = _without_last_blanks(before), ""
            elif not before or _without_last_blanks(before) != before:
                after = _FIRST_BLANKS.sub("", after)
        text = before + after
    return text


def _without_last_blanks(text: str) -> str:
    """Lines without the blank ones at their end; a pattern would try every blank line."""
    return text[: text.find("\n", len(text.rstrip(" \t\r\n"))) + 1]


def _runs(statements: Sequence[Statement], path: Path) -> list[list[Statement]]:
    """The statements at and below `path`: each key alone, each table with all that is in it."""
    runs: list[list[Statement]] = []
    is_inside = False
    for statement in statements:
        if statement.path[: len(path)] != path:
            is_inside = False
        elif is_inside:
            runs[-1].append(statement)
        else:
            runs.append([statement])
            is_inside = statement.is_header
    return runs


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _line_end(text: str, offset: int) -> int:
    """The offset behind the line feed of this line, or of the text's end."""
    return text.find("\n", offset) + 1 or len(text)


def _parse(text: str, path: str) -> Document:
    return Document.parse(text.encode(), path=path, limit=SPEC_LIMIT)


def _images(document: Document) -> dict[str, Any]:
    images = document.values.get("images", {})
    if not isinstance(images, dict):
        raise InputError(f"images is {type_name(images)}", where=document.where(_IMAGES))
    return images


def _checked(text: str, document: Document, images: dict[str, Any]) -> str:
    """The edited text, if it says what it shall: these images, and all else as before."""
    try:
        values = tomllib.loads(text)
    except ValueError:
        values = {}
    if {"images": {}} | values != document.values | {"images": images}:
        raise InputError(
            "is written in a way that cannot be edited in place",
            where=document.where(_IMAGES),
            mend="write [images] as a table of its own, or edit the file by hand",
        )
    return text
