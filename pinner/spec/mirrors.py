"""The `mirrors` of a registry, written into images.toml in place.

As in `edit`, text is put between the lines as they are; the result is read again, and what cannot
be edited like this is refused, never guessed.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import InputError
from pinner.oci.reference import InvalidReference, parse_registry
from pinner.spec.parse import SPEC_LIMIT
from pinner.tomlfiles.document import Document
from pinner.tomlfiles.names import key_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.tomlfiles.layout import Path, Statement

_REGISTRIES: Final = "registries"
_MIRRORS: Final = "mirrors"


def mirrors_table(registry: str, mirror: str) -> str:
    """The lines that let a registry have this mirror, for whoever writes them by hand."""
    return f'[{_REGISTRIES}.{key_text(registry)}]\n{_MIRRORS} = ["{mirror}"]\n'


def add_mirror(text: str, registry: str, mirror: str, *, path: str) -> str:
    """The text of an images.toml in which `registry` has `mirror`, before its other mirrors.

    Where it has it already, in whatever place, the text is the same.

    Args:
        text: a valid images.toml.
        registry: `host[:port]`, the aliases of docker.io folded.
        mirror: `host[:port][/prefix]`.
        path: the file as messages name it.

    Raises:
        InputError: the file is written in a way that cannot be edited.
    """
    document = Document.parse(text.encode(), path=path, limit=SPEC_LIMIT)
    key = _key_of(document.values, registry)
    wanted: dict[str, Any] = document.values.get(_REGISTRIES, {}).get(key, {})
    before = wanted.get(_MIRRORS, [])
    if mirror in before:
        return text
    at, added = _place(document, (_REGISTRIES, key), f'"{mirror}"', is_new=not before)
    edited = text[:at] + added + text[at:]
    return _checked(edited, document, key, [mirror, *before])


def _key_of(values: Mapping[str, Any], registry: str) -> str:
    """How the file spells the registry; as given where it does not have it."""
    for key in values.get(_REGISTRIES, {}):
        try:
            if parse_registry(key).lower() == registry.lower():
                return str(key)
        except InvalidReference:
            continue
    return registry


def _place(document: Document, table: Path, value: str, *, is_new: bool) -> tuple[int, str]:
    """Where text is put in, and which."""
    text, layout = document.text, document.layout
    newline = "\r\n" if "\r\n" in text else "\n"
    if not is_new:
        return layout.offset((*table, _MIRRORS, 0)), f"{value}, "
    own = [s for s in layout.statements if s.path[:2] == table]
    empty = next((s for s in own if s.path == (*table, _MIRRORS)), None)
    if empty is not None:  # `mirrors = []`
        return text.rindex("[", empty.start, empty.end) + 1, value
    last = _last_of(own, table)
    if last is None:
        before = "" if not text or text.endswith("\n") else newline
        gap = newline if text.strip() else ""
        header = f"[{_REGISTRIES}.{key_text(str(table[1]))}]"
        return len(text), f"{before}{gap}{header}{newline}{_MIRRORS} = [{value}]{newline}"
    indent = "" if last.is_header else text[text.rfind("\n", 0, last.start) + 1 : last.start]
    keys = [key_text(str(part)) for part in (*table, _MIRRORS)[len(last.section) :]]
    line = f"{indent}{'.'.join(keys)} = [{value}]{newline}"
    end = text.find("\n", last.end) + 1
    return (end, line) if end else (len(text), f"{newline}{line}")


def _last_of(own: Sequence[Statement], table: Path) -> Statement | None:
    """The statement that a new key of a table stands behind."""
    inside = [s for s in own if s.section == table]
    dotted = [s for s in own if not s.is_header and len(s.path) > len(table) > len(s.section)]
    return next(reversed(inside or dotted), None)


def _checked(text: str, document: Document, key: str, mirrors: list[str]) -> str:
    """The edited text, if it says what it shall: these mirrors, and all else as before."""
    try:
        values = tomllib.loads(text)
    except ValueError:
        values = {}
    registries = dict(document.values.get(_REGISTRIES, {}))
    registries[key] = {**registries.get(key, {}), _MIRRORS: mirrors}
    if values != {**document.values, _REGISTRIES: registries}:
        raise InputError(
            f"{_REGISTRIES}.{key_text(key)} is written in a way that cannot be edited in place",
            where=document.where((_REGISTRIES, key)),
            mend=f'write {_MIRRORS} = ["{mirrors[0]}"] there by hand, or mirror with --no-write',
        )
    return text
