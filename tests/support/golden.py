"""Expected output kept as files, so that a change of wording is a change of a file to look at."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from support.tables import FIXTURES

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER: Final = FIXTURES / "output"
_REWRITE: Final = "REWRITE_GOLDEN"


def expected(name: str, text: str) -> str:
    """What `fixtures/output/NAME` says; `text` itself, and the file, where it is to be rewritten.

    `REWRITE_GOLDEN=1` writes the files anew; git shows what changed.
    """
    path: Path = _FOLDER / name
    if os.environ.get(_REWRITE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def pretty(document: dict[str, Any]) -> str:
    """A JSON document as its file has it."""
    return json.dumps(document, indent=2) + "\n"
