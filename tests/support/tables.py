"""Tables of cases in fixtures/: read as rows, made into parameters with readable ids."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES: Final = Path(__file__).parents[2] / "fixtures"
_REPEATED: Final = re.compile(r"<(.)\*([0-9]+)>")


def read_rows(name: str) -> list[dict[str, Any]]:
    """The `rows` of a TOML file of fixtures/; `<x*3>` in a text is written out as `xxx`."""
    document = tomllib.loads((FIXTURES / name).read_text(encoding="utf-8"))
    return [{key: _expanded(value) for key, value in row.items()} for row in document["rows"]]


def params(name: str, key: Callable[[dict[str, Any]], str] = lambda row: row["id"]) -> list[Any]:
    """The rows as parameters of a test, each with the id that `key` gives."""
    return [pytest.param(row, id=key(row)[:60] or "empty") for row in read_rows(name)]


def _expanded(value: Any) -> Any:
    if isinstance(value, list):
        return [_expanded(element) for element in value]
    if isinstance(value, str):
        return _REPEATED.sub(lambda found: found[1] * int(found[2]), value).replace(
            "<64hex>", "1a" * 32
        )
    return value
