"""Foreign text in Markdown, as a renderer of the same grammar reads it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pinner.output.markdown import code, details, html_text, plain, table
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable

RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table")
JOINER = "\u2060"
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "@team please merge",
    "closes #1, !2, ~bug, $3, &4, %5, ^6",
    "](https://evil.example) [click",
    "`code` and ``more``",
    "a|b\\|c",
    "**bold** _em_ ~~gone~~",
    "https://evil.example www.evil.example",
    "<!-- hidden",
    "</details></summary>",
    "&lt;script&gt;",
    "# heading",
    "- item",
    "1. item",
    "\x1b[31mred\x1b[0m",
    "line\nbreak",
    "\u202eright to left",
    ":tada:",
    "/close",
    "    indented",
]


def shown(rendered: str) -> str:
    """The text that a reader sees."""
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).replace(JOINER, "")


def cells(rendered: str) -> list[str]:
    return [shown(cell) for cell in re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("make", [code, plain])
def test_O07_a_cell_shows_foreign_text_and_nothing_else(
    make: Callable[[str], str], text: str
) -> None:
    rendered = RENDERER.render(table(("one", "two"), [(make(text), "end")]))
    assert cells(rendered) == [safe(text).strip(), "end"]
    allowed = {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert set(re.findall(r"<(\w+)", rendered)) <= allowed


@given(st.text(min_size=1, max_size=60))
@example("`")
@example("\\")
@example("\\|")
@example("|")
@example("a` ``b")
def test_any_text_is_one_cell(text: str) -> None:
    rendered = RENDERER.render(table(("one", "two"), [(code(text), plain(text))]))
    wanted = safe(text).strip()
    assert cells(rendered) == [wanted.replace(JOINER, "") or "-", wanted.replace(JOINER, "")]


@pytest.mark.parametrize(
    "text", ["@user", "x#12", "!3", "https://a.example", "www.a.example", ":a:"]
)
def test_prose_begins_no_mention_reference_or_link(text: str) -> None:
    # What a platform looks for in rendered text is split by a joiner.
    rendered = html.unescape(RENDERER.render(plain(text)))
    assert not re.search(r"(?:[@#!~$&%^]|://|www\.|:(?=\w))[\w/.]", rendered.strip()[3:-4])


def test_prose_that_begins_with_spaces_is_no_block_of_code() -> None:
    rendered = RENDERER.render(f"- {plain('        @user')}\n")
    assert "<pre>" not in rendered
    assert shown(rendered).strip() == "@user"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_summary_is_closed_by_us_alone(text: str) -> None:
    rendered = RENDERER.render(details(html_text(text), "body\n"))
    assert rendered.count("<summary>") == rendered.count("</summary>") == 1
    assert rendered.count("</details>") == 1
    assert "<p>body</p>" in rendered


def test_the_body_of_a_section_is_markdown() -> None:
    rendered = RENDERER.render(details("title", table(("a",), [("1",)])))
    assert "<td>1</td>" in rendered
