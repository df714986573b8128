r"""A Dockerfile as instructions: directives, comments, continuations and heredocs taken apart.

# escape=`              directives: `# name=value` lines at the very top, until another line
RUN a \                 a line that ends with the escape character goes on in the next;
# comment               comment and empty lines within vanish
    && b
COPY <<EOF /file        RUN, COPY and ADD (also behind ONBUILD) take heredocs: lines of data
EOF                     until the terminator
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.blanks import FLAG_SPACE, SPACE, left_stripped, right_stripped
from pinner.rewrite.dockerfile.directives import (
    BOM,
    escape_character,
    foreign_syntax,
    syntax_image,
)
from pinner.rewrite.dockerfile.heredocs import heredocs
from pinner.rewrite.dockerfile.refusals import MalformedDockerfile
from pinner.rewrite.located import Located

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_LIMIT: Final = 65_535
_KEYWORD: Final = re.compile(rf"(?P<keyword>[^{SPACE}]+)[{SPACE}]*")
_WITH_HEREDOCS: Final = frozenset({"run", "copy", "add", "onbuild"})
_WITH_SOURCES: Final = frozenset({"run", "copy"})
# Instructions that name no image, whatever their arguments are.
_WITHOUT_IMAGES: Final = frozenset(
    {"add", "cmd", "entrypoint", "env", "expose", "healthcheck", "label", "maintainer", "shell"}
    | {"stopsignal", "user", "volume", "workdir"}
)
# A flag with `from=`, or one that quotes or escapes may hide it in. The first one that has some
# begins where a word does: so that no character is looked at from more than one beginning.
_FLAG_WITH_SOURCE: Final = re.compile(
    rf"from=|(?<![^{FLAG_SPACE}])--[^{FLAG_SPACE}'\"\\]*+['\"\\]", re.IGNORECASE
)


@dataclass(slots=True)
class Instruction:
    """One instruction.

    Attributes:
        keyword: in lower case.
        written: the keyword as it stands.
        arguments: all behind it, without blanks at both ends; continued lines are joined.
        start: the offset in the source where its first line begins.
    """

    keyword: str
    written: Located
    arguments: Located
    start: int

    @classmethod
    def of(
        cls, source: Located, pieces: list[tuple[int, str]], keyword: re.Match[str], start: int
    ) -> Instruction:
        """The instruction that stands in these pieces of the source, each at its offset."""
        whole = Located.join([source[at : at + len(text)] for at, text in pieces])
        # Blanks in front do not count, even those of a further line.
        before = len(whole) - len(keyword.string)
        return cls(
            keyword["keyword"].lower(),
            whole[before : before + keyword.end("keyword")],
            right_stripped(whole[before + keyword.end() :]),
            start,
        )


@dataclass(slots=True)
class Dockerfile:
    """What of a file can name an image.

    Attributes:
        escape: the escape character.
        syntax: the value of `# syntax=`; None where there is none.
        foreign_syntax: the offset of a `syntax` in a form of other frontends (`//`, JSON).
        instructions: FROM, ARG, ONBUILD, COPY and RUN with such a flag, and what is no instruction
            of BuildKit's; in order.
    """

    escape: str = "\\"
    syntax: Located | None = None
    foreign_syntax: int | None = None
    instructions: list[Instruction] = field(default_factory=list)


def read_dockerfile(source: Located) -> Dockerfile:
    """The instructions of a Dockerfile that can name an image.

    Raises:
        MalformedDockerfile: UTF-16, a line longer than BuildKit takes, a directive that is there
            twice, a heredoc without an end.
    """
    begin = len(BOM) if source.text.startswith(BOM) else 0
    texts = source.text[begin:].split("\n")
    starts = list(accumulate([len(text) + 1 for text in texts], initial=begin))
    _check(source.text, texts, starts)
    if "\r" in source.text:
        texts = [text.rstrip("\r") for text in texts]
    file = Dockerfile(escape=escape_character(texts), syntax=syntax_image(source, texts, starts))
    if file.syntax is None:
        file.foreign_syntax = foreign_syntax(source.text, texts, starts)
    # The last of the starts is where a further line would begin.
    _read_instructions(file, source, zip(starts, texts, strict=False))
    return file


def _check(text: str, texts: list[str], starts: list[int]) -> None:
    if text.startswith(("\xff\xfe", "\xfe\xff")) or "\0" in text[:2]:
        raise MalformedDockerfile("it is UTF-16", 0)
    if len(text) > LINE_LIMIT:
        for start, line in zip(starts, texts, strict=False):
            if len(line) > LINE_LIMIT:
                raise MalformedDockerfile("a line is longer than BuildKit takes", start)


def _read_instructions(file: Dockerfile, source: Located, lines: Iterator[tuple[int, str]]) -> None:
    escape = file.escape
    for start, line in lines:
        text = left_stripped(line)
        if not text or text[0] == "#":
            continue
        pieces = [(start + len(line) - len(text), text)]
        if escape in text and (end := _continued(text, escape)) >= 0:
            pieces = [(pieces[0][0], text[:end]), *_continuation(lines, escape)]
            text = left_stripped("".join([piece for _, piece in pieces]))
        found = _KEYWORD.match(text)
        if found is None:
            continue
        keyword = found["keyword"].lower()
        if _can_name_image(keyword, text, found.end()):
            file.instructions.append(Instruction.of(source, pieces, found, start))
        if "<<" in text and _takes_heredocs(keyword, text[found.end() :]):
            for heredoc in heredocs(text):
                _pass_over(lines, heredoc.terminator, chomp=heredoc.chomp, start=start)


def _continued(text: str, escape: str) -> int:
    """Where the escape character stands that makes a line go on in the next; -1 for none."""
    bare = text.rstrip(" \t")
    if bare.endswith(escape) and not bare.endswith(escape * 2):
        return len(bare) - 1
    return -1


def _continuation(lines: Iterator[tuple[int, str]], escape: str) -> Iterator[tuple[int, str]]:
    """The further lines of an instruction whose first line goes on."""
    for start, line in lines:
        bare = left_stripped(line)
        if not bare or bare[0] == "#":
            continue
        end = _continued(line, escape)
        if end < 0:
            yield start, line
            return
        yield start, line[:end]


def _can_name_image(keyword: str, text: str, behind: int) -> bool:
    if keyword in _WITHOUT_IMAGES:
        return False
    if keyword in _WITH_SOURCES:
        return text.startswith("--", behind) and bool(_FLAG_WITH_SOURCE.search(text, behind))
    return True


def _takes_heredocs(keyword: str, arguments: str) -> bool:
    if keyword == "onbuild":
        found = _KEYWORD.match(arguments)
        keyword = found["keyword"].lower() if found else ""
    return keyword in _WITH_HEREDOCS and keyword != "onbuild"


def _pass_over(
    lines: Iterator[tuple[int, str]], terminator: str, *, chomp: bool, start: int
) -> None:
    for _, line in lines:
        if (line.lstrip("\t") if chomp else line) == terminator:
            return
    raise MalformedDockerfile("a heredoc does not end", start)
