"""Markdown as GitHub, GitLab and Gitea read it, with foreign text that can do nothing.

GitHub Flavored Markdown 0.29, sections 6.1 (escapes), 4.10 (tables), 6.3 (code spans). A mention
(`@name`), a reference (`#1`, `!1`), an emoji (`:x:`) and a link are made from the rendered text by
each of the three, but never inside code; so foreign text is shown as code wherever it may be.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What begins a mention, a reference, an emoji or a link in rendered text, here or there.
_BEGINNINGS: Final = re.compile(r"([@#!~$&%^]|:(?=[a-z/])|www\.)(?=\S)", re.IGNORECASE)
_WORD_JOINER: Final = "\u2060"
_PUNCTUATION: Final = re.compile(r"[!-/:-@\[-`{-~]")
_NOT_IN_CODE: Final = frozenset("`|\\")
_LONGEST_CODE: Final = 200


def code(text: str, *, limit: int = _LONGEST_CODE) -> str:
    """Foreign text as a code span on one line; `-` where it is empty.

    Text that would need an escape in a code span, which differs inside and outside of tables, is
    `plain` instead.
    """
    shown = safe(text, limit=limit).strip(" ")
    if not shown:
        return "-"
    return f"`{shown}`" if _NOT_IN_CODE.isdisjoint(shown) else plain(text, limit=limit)


def plain(text: str, *, limit: int = 500) -> str:
    """Foreign text as prose on one line: nothing in it is markup, HTML, a mention or a link.

    Punctuation becomes entities, and what would begin something in the rendered text is followed
    by a word joiner, which is not seen. Spaces around it go: four in front make a block of code.
    """
    apart = _BEGINNINGS.sub(rf"\1{_WORD_JOINER}", safe(text, limit=limit).strip(" "))
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", apart)


def html_text(text: str) -> str:
    """Foreign text for the inside of an HTML element."""
    return html.escape(safe(text, limit=_LONGEST_CODE))


def link(words: str, url: str) -> str:
    """A link.

    Args:
        words: Markdown.
        url: of characters that need no escape, as `compare.links` makes them.
    """
    return f"[{words}]({url})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, each line with its line feed; cells are Markdown already."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "".join(f"{line}\n" for line in lines)


def details(summary: str, body: str) -> str:
    """A folded section.

    Args:
        summary: HTML, on one line.
        body: Markdown that ends with a line feed.
    """
    return f"<details><summary>{summary}</summary>\n\n{body}\n</details>\n"
