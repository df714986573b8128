"""The arguments of an instruction: flags in front (`--from=x`), pairs of ARG, fields of a mount."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pinner.rewrite.dockerfile.blanks import FLAG_SPACE, SPACE
from pinner.rewrite.located import Located

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLAG_ESCAPE: Final = "\\"
_WORD: Final = {
    escape: re.compile(
        rf"(?:[^{SPACE}'\"{re.escape(escape)}]|{re.escape(escape)}.|'[^']*'?"
        rf"|\"(?:[^\"{re.escape(escape)}]|{re.escape(escape)}.)*\"?)+"
    )
    for escape in ("\\", "`")
}


def split_flags(arguments: Located) -> tuple[list[Located], Located]:
    """The flags in front, quotes and escapes taken away, and all behind them.

    A backslash escapes here whatever the file's escape character is.
    """
    if not arguments.text.startswith("-"):
        return [], arguments
    flags: list[Located] = []
    at, text = 0, arguments.text
    while True:
        while text[at : at + 1] and text[at] in FLAG_SPACE:
            at += 1
        if not text.startswith("--", at):
            return flags, arguments[at:]
        flag, at = _flag(arguments, at)
        if flag.text == "--":
            return flags, arguments[at:].strip(SPACE)
        flags.append(flag)


def _flag(arguments: Located, at: int) -> tuple[Located, int]:
    text, parts, quote = arguments.text, [], ""
    start = at
    while at < len(text):
        character = text[at]
        if not quote and character in FLAG_SPACE:
            break
        ends = character == quote
        if ends or (not quote and character in "'\"") or character == _FLAG_ESCAPE:
            parts.append(arguments[start:at])
            if character == _FLAG_ESCAPE:
                at += 1  # the next character counts as it is
                start = at
            else:
                quote = "" if ends else character
                start = at + 1
        at += 1
    parts.append(arguments[start:at])
    return Located.join(parts), at


def flag_value(flags: list[Located], name: str) -> Located | None:
    """The value of the flag `--name=`, the first where there are several."""
    return next(flag_values(flags, name), None)


def flag_values(flags: list[Located], name: str) -> Iterator[Located]:
    """The values of all flags of this name, in order."""
    prefix = f"--{name}="
    return (flag[len(prefix) :] for flag in flags if flag.text.startswith(prefix))


def pairs(arguments: Located, *, escape: str) -> Iterator[tuple[str, Located | None]]:
    """What ARG declares: each name, and its default with quotes and variables as they stand.

    `ARG a=1 b="x y" c` is three; `ARG K V` declares two names without a default.
    """
    for word in _words(arguments, escape=escape):
        name, equals, _ = word.text.partition("=")
        if name:
            yield name, word[len(name) + 1 :] if equals else None


def _words(arguments: Located, *, escape: str) -> Iterator[Located]:
    """Words between blanks; quotes hold blanks together and stay."""
    for found in _WORD[escape].finditer(arguments.text):
        yield arguments[found.start() : found.end()]


def mount_source(value: Located) -> Located | None:
    """Where `--mount=type=bind,from=a:1` takes its files from; None where from no image.

    The last of several `from` counts; a tmpfs has no source, and a secret is refused one.
    """
    source, kind = None, "bind"
    for key, field in _mount_fields(value):
        if key == "from":
            source = field
        elif key == "type":
            kind = field.text.lower()
    return None if kind in {"tmpfs", "secret"} else source


def _mount_fields(value: Located) -> Iterator[tuple[str, Located]]:
    """The fields of a mount: key in lower case, value; a line of CSV."""
    at, text = 0, value.text
    while at <= len(text):
        if text[at : at + 1] == '"':
            end = text.find('"', at + 1)
            end = len(text) if end < 0 else end
            field, at = value[at + 1 : end], end + 2
        else:
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            field, at = value[at:end], end + 1
        key, equals, _ = field.text.partition("=")
        if equals:
            yield key.lower(), field[len(key) + 1 :]
