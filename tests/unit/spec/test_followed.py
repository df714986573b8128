"""What is not used is not imported: reading a spec is most of what `lock --check` does."""

from __future__ import annotations

import subprocess
import sys

import pytest

VERSIONS = {"packaging", "pinner.tagpolicy.versions"}
HEAVY = {*VERSIONS, "pinner.tagpolicy.caps", "pinner.tagpolicy.patterns"}


@pytest.mark.parametrize(
    ("entry", "modules"),
    [
        pytest.param('"node:22.11.0"', set(), id="tag"),
        pytest.param('{ image = "node:22.11.0", update = "digest" }', set(), id="digest"),
        pytest.param(
            '{ image = "node:22.11.0", update = "minor" }',
            {*VERSIONS, "pinner.tagpolicy.caps"},
            id="update",
        ),
        pytest.param(
            '{ image = "node", version = ">=22" }',
            VERSIONS,
            id="version",
        ),
        pytest.param(
            '{ image = "node", tags = "v(?P<version>[0-9.]+)" }',
            {"pinner.tagpolicy.patterns"},
            id="tags",
        ),
    ],
)
def test_an_entry_imports_only_what_it_needs(entry: str, modules: set[str]) -> None:
    program = (
        "import sys; from pathlib import Path; from pinner.spec import parse_spec;"
        f"text = '''[images]\nx = {entry}\n''';"
        "(only,) = parse_spec(text.encode(), path='images.toml', base=Path()).entries;"
        "print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    assert set(ran.stdout.split()) & HEAVY == modules
