"""Quadlet units (podman-systemd.unit): `Image=` in .container, .image and .volume files.

[Container]
Image=docker.io/library/nginx:1.27

The last one counts. The names of other units (`web.image`, `app.build`) are no images. `%n` and
the like are filled in by systemd.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located
from pinner.rewrite.model import Reason
from pinner.rewrite.yamlsearch import FILLED_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.model import Found
    from pinner.rewrite.page import Page

_SECTIONS: Final = frozenset({"Container", "Image", "Volume"})
_SECTION: Final = re.compile(r"\[([^\]]*)\]\s*")
_ASSIGNMENT: Final = re.compile(r"Image[ \t]*=[ \t]*")
_UNITS: Final = (".image", ".build")
_TRANSPORT: Final = re.compile(r"([a-z][a-z-]*):(?=/|[a-z-]+:/)")
_DOCKER: Final = "docker://"
_BOM: Final = "\xef\xbb\xbf"
_SPACE: Final = " \t\r"


def find_images(page: Page) -> tuple[Found, ...]:
    """What a unit names."""
    found = {}
    for section, start, line in _lines(page.source):
        assignment = _ASSIGNMENT.match(line.text)
        if section in _SECTIONS and assignment is not None:
            found[section] = (start, _unquoted(line[assignment.end() :].strip(_SPACE)))
    return tuple(
        told
        for start, value in sorted(found.values(), key=lambda one: one[0])
        for told in _image(page, value, page.line(start))
    )


def _image(page: Page, value: Located, statement: int) -> Iterator[Found]:
    reference = value[len(_DOCKER) :] if value.text.startswith(_DOCKER) else value
    transport = _TRANSPORT.match(reference.text)
    if not reference.text or reference.text.endswith(_UNITS):
        return
    if "%" in reference.text or "$" in reference.text:
        yield page.skip(value, Reason.TEMPLATE, FILLED_IN, statement=statement)
    elif transport is not None:
        why = f'"{transport[1]}:" says that it comes from elsewhere than a registry'
        yield page.skip(value, Reason.UNSUPPORTED, why, statement=statement)
    else:
        yield page.place(reference, statement=statement)


def _lines(source: Located) -> Iterator[tuple[str, int, Located]]:
    """Each assignment with its section and offset; lines that end with a backslash go on."""
    text = source.text
    at = len(_BOM) if text.startswith(_BOM) else 0
    pieces: list[Located] = []
    section, first = "", at
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = source[at:end].strip(_SPACE)
        start, at = at, end + 1
        if line.text.startswith(("#", ";")) or not (line.text or pieces):
            continue
        header = _SECTION.fullmatch(line.text)
        if header is not None and not pieces:
            section = header[1]
            continue
        first = first if pieces else start
        if line.text.endswith("\\"):
            pieces += [line[:-1], Located.made(" ")]
            continue
        yield section, first, Located.join([*pieces, line])
        pieces = []
    if pieces:
        yield section, first, Located.join(pieces)


def _unquoted(value: Located) -> Located:
    quoted = len(value) > 1 and value.text[0] == value.text[-1] and value.text[0] in "'\""
    return value[1:-1] if quoted else value
