"""JSON with comments and trailing commas (as VS Code reads it), as nodes that know their places.

Only spans are read; nothing is converted: numbers, `true` and `null` are scalars of style "".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located
from pinner.rewrite.yamlspans import DEPTH_LIMIT, SIZE_LIMIT, Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM: Final = "\xef\xbb\xbf"
_TOKEN: Final = re.compile(
    r"(?P<skip>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)"
    r'|(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")'
    r"|(?P<word>[-+.\w]+)"
    r"|(?P<mark>[{}\[\],:])",
    re.DOTALL | re.ASCII,
)
_ESCAPE: Final = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_ESCAPES: Final = dict(zip('"\\/bfnrt', '"\\/\b\f\n\r\t', strict=True))


class NotJson(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """The text is not JSON with comments; the message says why.

    Attributes:
        offset: near which it is wrong.
    """

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(why)
        self.offset = offset


def read_json(source: Located) -> Node:
    """The root.

    Raises:
        NotJson: a syntax error, or a limit of `yamlspans` is passed.
    """
    if len(source) > SIZE_LIMIT:
        raise NotJson(f"it is larger than {SIZE_LIMIT >> 20} MiB", 0)
    reader = _Reader(source)
    root = reader.value(0)
    if reader.kind:
        raise NotJson("it is not JSON: something follows its end", reader.start)
    return root


def read_string(source: Located, scalar: Scalar) -> Located:
    """The text of a string; escaped characters stand nowhere."""
    inside = source[scalar.start + 1 : scalar.end - 1]
    pieces, at = [], 0
    for found in _ESCAPE.finditer(inside.text):
        pieces.append(inside[at : found.start()])
        character = chr(int(found[1], 16)) if found[1] else _ESCAPES[found[2]]
        pieces.append(Located.made(character))
        at = found.end()
    return Located.join([*pieces, inside[at:]])


class _Reader:
    """Reads values from tokens; `kind`, `start` and `end` are of the token at hand."""

    def __init__(self, source: Located) -> None:
        self.source = source
        self.tokens = self._tokens()
        self.kind, self.start, self.end = next(self.tokens)

    def _tokens(self) -> Iterator[tuple[str, int, int]]:
        text = self.source.text
        at = len(_BOM) if text.startswith(_BOM) else 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise NotJson("it is not JSON", at)
            at = found.end()
            if found.lastgroup == "mark":
                yield found[0], found.start(), at
            elif found.lastgroup != "skip":
                yield found.lastgroup or "", found.start(), at
        while True:
            yield "", at, at

    def _next(self) -> None:
        self.kind, self.start, self.end = next(self.tokens)

    def value(self, depth: int) -> Node:
        if depth > DEPTH_LIMIT:
            raise NotJson(f"it is nested more than {DEPTH_LIMIT} levels", self.start)
        if self.kind == "{":
            return self._object(depth)
        if self.kind == "[":
            return self._array(depth)
        if self.kind not in {"string", "word"}:
            raise NotJson("it is not JSON: a value is missing", self.start)
        return self._scalar()

    def _scalar(self) -> Scalar:
        style = '"' if self.kind == "string" else ""
        node = Scalar(self.source.text[self.start : self.end], self.start, self.end, style)
        self._next()
        return (
            Scalar(read_string(self.source, node).text, node.start, node.end, style)
            if style
            else node
        )

    def _object(self, depth: int) -> Mapping:
        mapping = Mapping(self.start, flow=True)
        self._next()
        while self.kind != "}":
            if self.kind != "string":
                raise NotJson("it is not JSON: a key is missing", self.start)
            key = self._scalar()
            self._expect(":")
            if key.value in mapping.values:
                mapping.doubled[key.value] = key
            mapping.values[key.value] = self.value(depth + 1)
            mapping.keys[key.value] = key
            self._comma("}")
        self._next()
        return mapping

    def _array(self, depth: int) -> Sequence:
        sequence = Sequence(self.start)
        self._next()
        while self.kind != "]":
            sequence.items.append(self.value(depth + 1))
            self._comma("]")
        self._next()
        return sequence

    def _expect(self, mark: str) -> None:
        if self.kind != mark:
            raise NotJson(f"it is not JSON: {mark} is missing", self.start)
        self._next()

    def _comma(self, end: str) -> None:
        """A comma, or the end; both together are fine."""
        if self.kind != end:
            self._expect(",")
