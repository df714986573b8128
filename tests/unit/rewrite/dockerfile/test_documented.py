"""docs/files/dockerfile.md is true: its table is made from the cases, its example is one."""

from __future__ import annotations

import re

from docpages import dockerfiles, markdown, pages
from pinner.rewrite.plan import plan_file
from support.dockerfiles import CASES, read
from support.rewriting import wish

PAGE = pages.DOCS / "files" / "dockerfile.md"


def test_the_table_is_as_make_docs_writes_it() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert dockerfiles.with_table(shown) == shown


def test_every_row_of_the_table_has_a_case() -> None:
    numbers = {int(path.name.split("-")[1]) for path in CASES.glob("row-*")}
    assert numbers == set(range(1, 73))


def test_the_example_becomes_what_the_page_says() -> None:
    parts = markdown.parse(PAGE.read_text(encoding="utf-8"))
    blocks = [part for part in parts if isinstance(part, markdown.Fence)]
    before, after = ("\n".join(block.body) for block in blocks[:2])
    pinned = plan_file(before.encode(), read, wish).after.decode()
    assert re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", pinned) == after
