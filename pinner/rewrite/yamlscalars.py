r"""What a YAML scalar reads, each character with the byte that it was read from (YAML 1.1, 1.2).

plain, 'single' and "double"    lines are folded: a break becomes a blank, more breaks one less
'it''s'  "a\tb"                 an escaped character stands nowhere
|  >  |-  >+  |2                blocks, literal or folded; the indentation is not part of the text
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import NOWHERE, Located
from pinner.rewrite.yamlspans import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.rewrite.yamlspans import Scalar

_PROPERTIES: Final = re.compile(
    r"(?:(?:!<[^>\s]*>|[&!][^\s,\[\]{}]*)(?:[ \t]+|(?=[\r\n]|$))|(?:\#[^\r\n]*|[ \t\r\n]+))+"
)
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_HEADER: Final = re.compile(r"[|>]([-+1-9]{0,2})[ \t]*(?:\#[^\r\n]*)?(?:\r\n|\r|\n|$)")
_ESCAPES: Final = {
    **dict(zip("0abt\tnvfre", "\0\a\b\t\t\n\v\f\r\x1b", strict=True)),
    **dict(zip(' "/\\N_LP', ' "/\\\x85\xa0\u2028\u2029', strict=True)),
}
_CODES: Final = {"x": 2, "u": 4, "U": 8}
_NOT_ASCII: Final = re.compile("[\x80-\xff]")
_BLANKS: Final = " \t"
_BLANK: Final = Located(" ", (NOWHERE,))
_DEEPEST_INDENT: Final = 64


def read_scalar(source: Located, scalar: Scalar) -> Located:
    """The text of a scalar.

    Where what is read here is not what the parser read, the text stands nowhere: it can be shown,
    and not edited.
    """
    start = _behind_properties(source.text, scalar)
    for text in _readings(source, start, scalar):
        if _as_parsed(text) == scalar.value:
            return text
    return Located.made(scalar.value)


def _behind_properties(text: str, scalar: Scalar) -> int:
    """Where the text begins, behind an anchor and a tag."""
    if text[scalar.start : scalar.start + 1] not in {"&", "!"}:
        return scalar.start
    found = _PROPERTIES.match(text, scalar.start, scalar.end)
    return found.end() if found else scalar.start


def _readings(source: Located, start: int, scalar: Scalar) -> Iterator[Located]:
    if scalar.style == "'":
        yield _folded(_single_quoted(source, start + 1, scalar.end - 1))
    elif scalar.style == '"':
        yield _folded(_double_quoted(source, start + 1, scalar.end - 1))
    elif scalar.style:
        yield from _blocks(source, start, scalar.end)
    else:
        whole = source[start : scalar.end]
        yield whole if not _BREAK.search(whole.text) else _folded([whole])


def _as_parsed(text: Located) -> str:
    """As the parser saw it."""
    if text.text.isascii():
        return text.text
    if isinstance(text.origins, range):
        return _NOT_ASCII.sub(STAND_IN, text.text)
    return "".join(
        STAND_IN if origin != NOWHERE and character > "\x7f" else character
        for character, origin in zip(text.text, text.origins, strict=True)
    )


# Flow scalars


def _folded(pieces: list[Located]) -> Located:
    """Lines folded; each piece is read by itself, and only located characters are breaks."""
    out: list[Located] = []
    breaks = 0
    text = Located.join(pieces)
    lines = _lines(text)
    for number, line in enumerate(lines):
        last = number == len(lines) - 1
        kept = _stripped(line, left=number > 0, right=not last)
        if number and not kept.text and not last:
            breaks += 1
            continue
        if number:
            out.append(Located.made("\n" * breaks) if breaks else _BLANK)
            breaks = 0
        out.append(kept)
    return Located.join(out)


def _lines(text: Located) -> list[Located]:
    """Split at breaks that stand in the file; an escaped one is text."""
    lines, at = [], 0
    for found in _BREAK.finditer(text.text):
        if text.origins[found.start()] != NOWHERE:
            lines.append(text[at : found.start()])
            at = found.end()
    return [*lines, text[at:]]


def _stripped(line: Located, *, left: bool, right: bool) -> Located:
    """Without the blanks at its ends that stand in the file."""
    start, end = 0, len(line)
    text, origins = line.text, line.origins
    while left and start < end and text[start] in _BLANKS and origins[start] != NOWHERE:
        start += 1
    while right and end > start and text[end - 1] in _BLANKS and origins[end - 1] != NOWHERE:
        end -= 1
    return line[start:end]


def _single_quoted(source: Located, start: int, end: int) -> list[Located]:
    pieces, at = [], start
    text = source.text
    while (quote := text.find("''", at, end)) >= 0:
        pieces += [source[at:quote], Located.made("'")]
        at = quote + len("''")
    return [*pieces, source[at:end]]


def _double_quoted(source: Located, start: int, end: int) -> list[Located]:
    pieces, at = [], start
    text = source.text
    while (slash := text.find("\\", at, end)) >= 0:
        pieces.append(source[at:slash])
        code = text[slash + 1 : slash + 2]
        at = slash + 2
        if code in {"\r", "\n"}:  # the line goes on without a blank; what is before it stays
            pieces = [_fixed_end(Located.join(pieces))]
            found = re.compile(r"[ \t]*").match(text, at + (text[slash + 1 : at + 1] == "\r\n"))
            at = found.end() if found else at
        elif code in _CODES:
            at += _CODES[code]
            pieces.append(Located.made(_character(text[slash + 2 : at])))
        else:
            pieces.append(Located.made(_ESCAPES.get(code, "")))
    return [*pieces, source[at:end]]


def _fixed_end(text: Located) -> Located:
    """Blanks at the end are text, not the indentation of a line."""
    kept = len(text.text.rstrip(_BLANKS))
    return text[:kept] + Located.made(text.text[kept:])


def _character(digits: str) -> str:
    try:
        return chr(int(digits, 16))
    except (ValueError, OverflowError):
        return ""


# Block scalars


def _blocks(source: Located, start: int, end: int) -> Iterator[Located]:
    """The readings of a block, by its indentation: seen, or told in a way that needs the parent."""
    header = _HEADER.match(source.text, start, end)
    if header is None:
        return
    lines = list(_block_lines(source.text, header.end(), end))
    folded, chomp = source.text[start] == ">", header[1].strip("123456789")
    for width in _indentations(lines, told=header[1].strip("-+") != ""):
        yield _block(source, lines, width, folded=folded, chomp=chomp)


def _indentations(lines: list[tuple[int, str, int]], *, told: bool) -> range:
    first = next((text for _, text, _ in lines if text.strip(" ")), None)
    if first is None:
        longest = max([1, *(len(text) for _, text, _ in lines)])
        return range(longest, longest + 1)
    indent = len(first) - len(first.lstrip(" "))
    return range(1, min(indent, _DEEPEST_INDENT) + 1) if told else range(indent, indent + 1)


def _block_lines(text: str, at: int, end: int) -> Iterator[tuple[int, str, int]]:
    """Each line: its offset, its text, and the offset of the last byte of its break (or -1)."""
    while at < end:
        found = _BREAK.search(text, at, end)
        stop = found.start() if found else end
        yield at, text[at:stop], found.end() - 1 if found else NOWHERE
        at = found.end() if found else end


def _block(
    source: Located, lines: list[tuple[int, str, int]], indent: int, *, folded: bool, chomp: str
) -> Located:
    out: list[Located] = []
    last, empty = Located("", ()), []  # the break behind the last line, and those of empty lines
    was_deeper = started = False
    for at, text, stop in lines:
        broken = Located("\n", (stop,)) if stop != NOWHERE else Located("", ())
        if not text[:indent].strip(" ") and len(text) <= indent:
            empty.append(broken)
            continue
        if text[:indent].strip(" "):
            break  # a comment behind the block
        deeper = text[indent] in _BLANKS
        if folded and started and not deeper and not was_deeper:
            out += empty or [_BLANK]
        else:
            out += [last, *empty]
        out.append(source[at + indent : at + len(text)])
        last, empty, was_deeper, started = broken, [], deeper, True
    if chomp != "-":
        out.append(last)
    if chomp == "+":
        out += empty
    return Located.join(out)
