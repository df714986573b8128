r"""A Dockerfile as instructions: directives, comments, continuations and heredocs taken apart.

# escape=`              directives: `# name=value` lines at the very top, until another line
RUN a \                 a line that ends with the escape character goes on in the next;
# comment               comment and empty lines within vanish
    && b
COPY <<EOF /file        RUN, COPY and ADD (also behind ONBUILD) take heredocs: lines of data
EOF                     until the terminator
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.rewrite.located import Located

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE: Final = " \t\v\f\r"
LINE_LIMIT: Final = 65_535
_BOM: Final = "\xef\xbb\xbf"
_DIRECTIVE: Final = re.compile(
    rf"#[{SPACE}]*(?P<name>[a-zA-Z][a-zA-Z0-9]*)[{SPACE}]*=[{SPACE}]*(?P<value>.+?)[{SPACE}]*"
)
_KNOWN: Final = frozenset({"syntax", "check", "escape"})
_CONTINUED: Final = {
    escape: re.compile(rf"(?:(?<=[^{re.escape(escape)}])|^){re.escape(escape)}[ \t]*$")
    for escape in ("\\", "`")
}
_KEYWORD: Final = re.compile(rf"[{SPACE}]*(?P<keyword>[^{SPACE}]+)[{SPACE}]*")
_WITH_HEREDOCS: Final = frozenset({"run", "copy", "add"})
_RAW_WORD: Final = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""")
_HEREDOC: Final = re.compile(r"\d*<<(?P<chomp>-?)(?P<name>[^<]+)")


class MalformedDockerfile(Exception):  # noqa: N818 - an answer, turned into a finding by who asked
    """BuildKit refuses the file; the message says why, in one line that is safe to print.

    Attributes:
        offset: of a character in the text, near which it is wrong.
    """

    def __init__(self, why: str, offset: int) -> None:
        super().__init__(why)
        self.offset = offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: in lower case.
        text: all behind the keyword, without blanks at both ends; continued lines are joined.
        start: the offset in the source where its first line begins.
    """

    keyword: str
    text: str
    start: int
    _source: Located
    _pieces: tuple[tuple[int, int], ...]
    _skipped: int

    @property
    def arguments(self) -> Located:
        """`text` with the places where it stands; made anew, since few instructions need it."""
        whole = Located.join(self._source[start:end] for start, end in self._pieces)
        return whole[self._skipped : self._skipped + len(self.text)]


@dataclass(slots=True)
class Dockerfile:
    """A whole file.

    Attributes:
        escape: the escape character.
        syntax: the value of `# syntax=`; None where there is none.
        foreign_syntax: the offset of a `syntax` in a form of other frontends (`//`, JSON).
        instructions: in order.
    """

    escape: str = "\\"
    syntax: Located | None = None
    foreign_syntax: int | None = None
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line without its end; blanks in front count."""

    start: int
    text: str


def read_dockerfile(source: Located) -> Dockerfile:
    """The instructions of a Dockerfile.

    Raises:
        MalformedDockerfile: a line longer than BuildKit takes, a directive that is there twice, a
            heredoc without an end.
    """
    lines = list(_lines(source.text))
    file = Dockerfile()
    _read_directives(file, source, lines)
    _read_instructions(file, source, iter(lines))
    return file


def _lines(text: str) -> Iterator[_Line]:
    at = len(_BOM) if text.startswith(_BOM) else 0
    for raw in text[at:].split("\n"):
        if len(raw) > LINE_LIMIT:
            raise MalformedDockerfile("a line is longer than BuildKit takes", at)
        yield _Line(at, raw.removesuffix("\r"))
        at += len(raw) + 1


def _read_directives(file: Dockerfile, source: Located, lines: list[_Line]) -> None:
    """`escape` counts from the first line on; `syntax` may stand behind a shebang as well."""
    for name, value in _directives(source, lines):
        if name == "escape":
            if value.text not in _CONTINUED:
                raise MalformedDockerfile(
                    "the escape directive is neither \\ nor `", lines[0].start
                )
            file.escape = value.text
    behind = lines[1:] if lines[0].text.startswith("#!") else lines
    for name, value in _directives(source, behind):
        if name == "syntax":
            file.syntax = value[: len(value.text.split(" ", 1)[0])]
    if file.syntax is None:
        file.foreign_syntax = _foreign_syntax(source.text, behind)


def _directives(source: Located, lines: list[_Line]) -> Iterator[tuple[str, Located]]:
    seen: set[str] = set()
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.text) if line.text.startswith("#") else None
        name = found["name"].lower() if found else ""
        if found is None or name not in _KNOWN:
            return
        if name in seen:
            raise MalformedDockerfile(f"only one {name} directive can be used", line.start)
        seen.add(name)
        start, end = found.span("value")
        yield name, source[line.start + start : line.start + end]


def _foreign_syntax(text: str, lines: list[_Line]) -> int | None:
    for line in lines:
        if not line.text.startswith("//"):
            break
        found = _DIRECTIVE.fullmatch(f"#{line.text.removeprefix('//')}")
        if found is None:
            break
        if found["name"].lower() == "syntax":
            return line.start
    if text.removeprefix(_BOM).lstrip().startswith("{"):
        try:
            document = json.loads(text.removeprefix(_BOM))
        except (ValueError, RecursionError):
            return None
        if isinstance(document, dict) and isinstance(document.get("syntax"), str):
            return 0
    return None


def _read_instructions(file: Dockerfile, source: Located, lines: Iterator[_Line]) -> None:
    continued = _CONTINUED[file.escape]
    for line in lines:
        text = line.text.lstrip(SPACE)
        if not text or text[0] == "#":
            continue
        first = line.start + len(line.text) - len(text)
        pieces = [(first, text)]
        if file.escape in text and (found := continued.search(text)):
            pieces = [(first, text[: found.start()]), *_continuation(lines, continued)]
        instruction = _instruction(source, line.start, pieces)
        if instruction is None:
            continue
        file.instructions.append(instruction)
        for chomp, terminator in _heredocs(instruction):
            _pass_over(lines, terminator, chomp=chomp, start=line.start)


def _continuation(lines: Iterator[_Line], continued: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The further lines of an instruction whose first line goes on."""
    for line in lines:
        bare = line.text.lstrip(SPACE)
        if not bare or bare[0] == "#":
            continue
        found = continued.search(line.text)
        if found is None:
            yield line.start, line.text
            return
        yield line.start, line.text[: found.start()]


def _instruction(source: Located, start: int, pieces: list[tuple[int, str]]) -> Instruction | None:
    whole = "".join([text for _, text in pieces]) if len(pieces) > 1 else pieces[0][1]
    found = _KEYWORD.match(whole)
    if found is None:
        return None
    return Instruction(
        keyword=found["keyword"].lower(),
        text=whole[found.end() :].rstrip(SPACE),
        start=start,
        _source=source,
        _pieces=tuple((at, at + len(text)) for at, text in pieces),
        _skipped=found.end(),
    )


def _heredocs(instruction: Instruction) -> list[tuple[bool, str]]:
    """For each heredoc that an instruction begins: whether tabs are dropped, and its terminator."""
    keyword, text = instruction.keyword, instruction.text
    if "<<" not in text:
        return []
    if keyword == "onbuild":
        keyword, _, text = text.partition(" ")
    if keyword.lower() not in _WITH_HEREDOCS or _is_json(text):
        return []
    found = (_HEREDOC.fullmatch(word) for word in _RAW_WORD.findall(text))
    return [(bool(one["chomp"]), _unquoted(one["name"])) for one in found if one]


def _is_json(text: str) -> bool:
    if not text.lstrip(SPACE).startswith("["):
        return False
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(items, list) and all(isinstance(item, str) for item in items)


def _unquoted(name: str) -> str:
    return re.sub(r"\\(.)|['\"]", lambda found: found[1] or "", name)


def _pass_over(lines: Iterator[_Line], terminator: str, *, chomp: bool, start: int) -> None:
    for line in lines:
        if (line.text.lstrip("\t") if chomp else line.text) == terminator:
            return
    raise MalformedDockerfile("a heredoc does not end", start)
