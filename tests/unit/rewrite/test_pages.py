"""The pages of docs/files are true: what has a file's name becomes what the next block shows."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest

from docpages import markdown
from pinner.rewrite.kinds import kind_of
from support.rewriting import pinned

PAGES = sorted((Path(__file__).parents[3] / "docs" / "files").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_before_becomes_after(page: Path) -> None:
    parts = markdown.parse(page.read_text(encoding="utf-8"))
    fences = [part for part in parts if isinstance(part, markdown.Fence)]
    befores = [number for number, fence in enumerate(fences) if fence.file]
    assert befores
    for number in befores:
        before, after = fences[number], fences[number + 1]
        assert after.language == before.language
        kind = kind_of(PurePosixPath(before.file), before.text.encode())
        assert kind is not None
        shown = re.sub(
            r"sha256:[0-9a-f]{64}", "sha256:…", pinned(before.text.encode(), kind.read).decode()
        )
        assert shown == after.text
