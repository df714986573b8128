"""Where inputs to begin with come from: the fixtures of other tests, and the corpus in the tree.

fixtures/fuzz/reasons.toml           [TARGET] FILE = "why it is there"
fixtures/fuzz/TARGET/FILE            an input; of crashes the smallest that still does it
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Final

from support.tables import FIXTURES, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fuzz.target import Target

CORPUS: Final = FIXTURES / "fuzz"
REASONS: Final = CORPUS / "reasons.toml"


def files(pattern: str) -> Iterator[bytes]:
    """The contents of the fixtures whose path matches."""
    found = sorted(path for path in FIXTURES.glob(pattern) if path.is_file())
    assert found, f"no fixture is of {pattern}"
    for path in found:
        yield path.read_bytes()


def texts(*tables: str, key: str = "input") -> Iterator[bytes]:
    """One column of tables in fixtures."""
    for table in tables:
        for row in read_rows(table):
            if isinstance(row.get(key), str):
                yield row[key].encode("utf-8", "surrogatepass")


def corpus(target: Target) -> dict[str, bytes]:
    """The target's own inputs in the tree, by file name."""
    folder = CORPUS / target.name
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}


def reasons() -> dict[str, dict[str, str]]:
    """Why each file of the corpus is there."""
    found: dict[str, dict[str, str]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return found


def inputs(target: Target) -> list[bytes]:
    """All seeds and the corpus, each once and none longer than the target takes."""
    found = [*target.seeds(), *corpus(target).values()]
    return [data for data in dict.fromkeys(found) if len(data) <= target.longest]
