"""The entries of an `index.json` one by one, from pieces of the file: memory does not grow with it.

Most of a run that finds nothing to do was making values of index.json that nobody kept: 20,000
entries are 9 MB of text and 60 MB of values. Here an entry as pinner writes it, in one form, is
read by one pattern; any other that is an object, by the strict JSON decoder.

This never decides that a file is wrong: whatever it does not know is `Irregular`, and `names` reads
the document whole. What it does give is what `names.roots` gives of the same bytes.
"""

from __future__ import annotations

import codecs
import json
import re
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest, InvalidDigest
from pinner.oci.fields import Field
from pinner.oci.strictjson import DECODER, MalformedJson
from pinner.store.names import (
    CONTAINERD_NAME,
    ENTRY_LIMIT,
    MEMBER_OF,
    REF_NAME,
    NamedDescriptor,
    root_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_AHEAD: Final = 8 * 1024  # characters at hand before an entry is read; most have 500
_SPACE: Final = r"[ \t\n\r]*"
# What may stand in quotes without meaning anything but itself.
_PLAIN: Final = r'[^"\\\x00-\x1f]*'
_HEAD: Final = re.compile(
    rf'{_SPACE}\{{{_SPACE}"schemaVersion"{_SPACE}:{_SPACE}2{_SPACE},{_SPACE}'
    rf'(?:"mediaType"{_SPACE}:{_SPACE}"{_PLAIN}"{_SPACE},{_SPACE})?'
    rf'"manifests"{_SPACE}:{_SPACE}\[{_SPACE}'
)
_ENTRY: Final = re.compile(
    r"\{\n"
    rf' {{6}}"mediaType": "({_PLAIN})",\n'
    rf' {{6}}"digest": "({_PLAIN})",\n'
    r' {6}"size": (0|[1-9][0-9]{0,17}),\n'
    r' {6}"annotations": \{\n'
    rf'(?: {{8}}"{re.escape(MEMBER_OF)}": "({_PLAIN})",\n)?'
    rf' {{8}}"{re.escape(REF_NAME)}": "({_PLAIN})",\n'
    rf' {{8}}"{re.escape(CONTAINERD_NAME)}": "\5"\n'
    r" {6}\}\n"
    r" {4}\}"
)
_NEXT: Final = re.compile(rf"{_SPACE},{_SPACE}")
_END: Final = re.compile(rf"{_SPACE}\]{_SPACE}\}}{_SPACE}\Z")


class Irregular(Exception):  # noqa: N818 - no error: it is to be read another way
    """A document, or a part of one, that is not read here."""


def stream_roots(pieces: Iterable[bytes]) -> Iterator[NamedDescriptor]:
    """What `names.roots` gives of the document that these pieces are.

    Raises:
        Irregular: it has another form, or is damaged; what came before it counts for nothing.
    """
    window = _Window(pieces)
    window.skip(_HEAD)
    if window.ends():
        return
    for _ in range(ENTRY_LIMIT):
        root = window.entry()
        if root is not None:
            yield root
        if window.ends():
            return
        window.skip(_NEXT)
    raise Irregular


class _Window:
    """The part of the text that is at hand, and a place in it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text = ""
        self._at = 0
        self._whole = False  # the last piece is at hand

    def skip(self, pattern: re.Pattern[str]) -> None:
        """Go behind what has to stand here."""
        self._look_ahead()
        found = pattern.match(self._text, self._at)
        if found is None:
            raise Irregular
        self._at = found.end()

    def ends(self) -> bool:
        """Whether nothing follows but the end of the document."""
        self._look_ahead()
        return self._whole and _END.match(self._text, self._at) is not None

    def entry(self) -> NamedDescriptor | None:
        """The entry here, behind which the place is then; None for one that is no descriptor."""
        self._look_ahead()
        found = _ENTRY.match(self._text, self._at)
        if found is None:
            return self._other_entry()
        media_type, digest, size, index, name = found.groups()
        try:
            parsed = Digest.parse(digest)
        except InvalidDigest:
            return self._other_entry()
        self._at = found.end()
        annotations = {REF_NAME: name, CONTAINERD_NAME: name}
        if index is not None:
            annotations = {MEMBER_OF: index, **annotations}
        descriptor = Descriptor(
            media_type=sys.intern(media_type),
            digest=parsed,
            size=int(size),
            annotations=MappingProxyType(annotations),
        )
        return NamedDescriptor(name=name, descriptor=descriptor)

    def _other_entry(self) -> NamedDescriptor | None:
        if not self._text.startswith("{", self._at):
            raise Irregular  # of anything but an object, a beginning can seem to be the whole
        ahead = _AHEAD
        while True:
            try:
                value, self._at = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._whole:
                    raise Irregular from None
                ahead *= 2  # so that all attempts together cost a few times the last
                self._look_ahead(ahead)
            except (MalformedJson, RecursionError):
                raise Irregular from None
            else:
                return root_of(Field(value))

    def _look_ahead(self, wanted: int = _AHEAD) -> None:
        if self._whole or len(self._text) - self._at >= wanted:
            return
        parts = [self._text[self._at :]]
        length = len(parts[0])
        try:
            while length < wanted and not self._whole:
                piece = next(self._pieces, b"")
                self._whole = not piece
                parts.append(self._decode(piece, final=self._whole))
                length += len(parts[-1])
        except UnicodeDecodeError:
            raise Irregular from None
        self._text, self._at = "".join(parts), 0
