"""Edits of a credential file's text: one entry of `auths`, and every other byte as it was.

    set      the entry of one key, in its place; new ones come last
    removed  entries, with their commas

docker writes such a file anew with what it knows of it; dotfile managers and other programs keep
more in it, so only the spans that change are replaced. Where there is a layout to follow it is
followed; a new file is laid out with tabs, as docker does. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_AUTHS: Final = "auths"
_MARK: Final = "\ufeff"
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an object: its key, and where it, its value and its end are."""

    key: str
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class _Object:
    """An object's members, and the span from its brace to behind its other brace."""

    start: int
    end: int
    members: tuple[_Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How the file is laid out; without a unit, on one line."""

    newline: str = "\n"
    unit: str = "\t"

    def object(self, members: Mapping[str, str], depth: int) -> str:
        """An object of members whose values are text already, at a depth of nesting."""
        if not members:
            return "{}"
        rows = [f"{json.dumps(key)}: {value}" for key, value in members.items()]
        if not self.unit:
            return "{" + ", ".join(rows) + "}"
        inner = self.newline + self.unit * (depth + 1)
        return "{" + inner + f",{inner}".join(rows) + self.newline + self.unit * depth + "}"


def with_entry(data: bytes, key: str, entry: Mapping[str, str], *, name: str) -> bytes:
    """The file with this entry of `auths`.

    Args:
        data: a file that `authfile.parse_config` reads; empty for none.
        key: of the entry; one that is there is replaced.
        entry: strings by name; empty where a helper keeps the login.
        name: of the file, for messages.

    Raises:
        InputError: not UTF-8, or a key that stands twice, so that one could outlive the edit.
    """
    mark, text = _text(data, name)
    root = _object_at(text, _past_blanks(text, 0))
    layout = _layout(text, root)
    rendered = {part: json.dumps(value) for part, value in entry.items()}
    auths = _auths(text, root, name)
    if auths is None:
        whole = layout.object({key: layout.object(rendered, 2)}, 1)
        text = _with_auths(text, root, whole, layout)
    else:
        same = [member for member in auths.members if member.key == key]
        if len(same) > 1:
            raise _twice(f"auths: {safe(key, limit=160)}", name)
        value = layout.object(rendered, 2)
        if same:
            text = text[: same[0].value] + value + text[same[0].end :]
        elif auths.members:
            member = f",{_gap(text, auths)}{json.dumps(key)}: {value}"
            text = text[: auths.members[-1].end] + member + text[auths.members[-1].end :]
        else:
            text = text[: auths.start] + layout.object({key: value}, 1) + text[auths.end :]
    return (mark + text).encode()


def without_entries(data: bytes, keys: Collection[str], *, name: str) -> bytes:
    """The file without these entries of `auths`, however often they stand there.

    Raises:
        InputError: not UTF-8, or `auths` stands twice.
    """
    mark, text = _text(data, name)
    while True:
        auths = _auths(text, _object_at(text, _past_blanks(text, 0)), name)
        members = auths.members if auths else ()
        index = next((i for i, member in enumerate(members) if member.key in keys), None)
        if auths is None or index is None:
            return (mark + text).encode()
        if len(members) == 1:
            start, end = auths.start + 1, auths.end - 1
        elif index:
            start, end = members[index - 1].end, members[index].end
        else:
            start, end = members[0].start, members[1].start
        text = text[:start] + text[end:]


def _text(data: bytes, name: str) -> tuple[str, str]:
    """The byte order mark, if there is one, and the rest; an empty file is an empty object.

    So is `null`, to docker. JSON has no NUL in it: where there is one, the text is UTF-16.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise InputError("is not UTF-8", where=name, mend="it was not changed")
    mark = _MARK if text.startswith(_MARK) else ""
    rest = text.removeprefix(_MARK)
    return mark, "{}" if rest.strip() in {"", "null"} else rest


def _with_auths(text: str, root: _Object, auths: str, layout: _Layout) -> str:
    """The text with `auths` first, where docker writes it, or in the place of a null."""
    for member in root.members:
        if member.key == _AUTHS:
            return text[: member.value] + auths + text[member.end :]
    if not root.members:
        return text[: root.start] + layout.object({_AUTHS: auths}, 0) + text[root.end :]
    first = root.members[0].start
    return f"{text[:first]}{json.dumps(_AUTHS)}: {auths},{_gap(text, root)}{text[first:]}"


def _auths(text: str, root: _Object, name: str) -> _Object | None:
    found = [member for member in root.members if member.key == _AUTHS]
    if len(found) > 1:
        raise _twice(_AUTHS, name)
    is_object = found and text[found[0].value] == "{"
    return _object_at(text, found[0].value) if is_object else None


def _twice(what: str, name: str) -> InputError:
    return InputError(f"{what} stands in it twice", where=name, mend="join the two by hand")


def _layout(text: str, root: _Object) -> _Layout:
    if not root.members:
        return _Layout()
    gap = _gap(text, root)
    newline = "\r\n" if "\r\n" in gap else "\n"
    return _Layout(newline=newline, unit=gap.rpartition("\n")[2] if "\n" in gap else "")


def _gap(text: str, of: _Object) -> str:
    """The blanks before an object's first member: so are its members apart."""
    return text[of.start + 1 : of.members[0].start]


def _object_at(text: str, start: int) -> _Object:
    """The object that begins at `start`, in a text that is known to be JSON."""
    members = []
    position = _past_blanks(text, start + 1)
    while text[position] != "}":
        begin = position
        key, position = _DECODER.raw_decode(text, begin)
        value = _past_blanks(text, _past_blanks(text, position) + 1)
        _, end = _DECODER.raw_decode(text, value)
        members.append(_Member(key, begin, value, end))
        position = _past_blanks(text, end)
        if text[position] == ",":
            position = _past_blanks(text, position + 1)
    return _Object(start, position + 1, tuple(members))


def _past_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return match.end() if match else position
