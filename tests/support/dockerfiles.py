"""Cases of fixtures/rewrite/dockerfile: beside the two files, what is found in the first.

found.txt has a line for each place: `LINE  REFERENCE`, with `  PLATFORM` where the place asks for
one and `  cannot-hold` where it cannot hold a digest; or `LINE  skipped REASON  TEXT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinner.rewrite.dockerfile import find_images
from pinner.rewrite.model import Occurrence
from pinner.rewrite.page import Page
from pinner.rewrite.plan import plan_file
from support.rewriting import FOLDER, wish, written_out

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.rewrite.model import Found

CASES: Final = FOLDER / "dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One folder, with its digests written out."""

    name: str
    before: bytes
    expected: bytes
    found: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> Case:
        return cls(
            name=folder.name,
            before=written_out((folder / "in.Dockerfile").read_bytes()),
            expected=written_out((folder / "expected.Dockerfile").read_bytes()),
            found=tuple(
                line.rstrip()
                for line in written_out((folder / "found.txt").read_bytes()).decode().splitlines()
            ),
        )


def all_cases() -> list[Case]:
    """Every case, in the order of the names."""
    return [Case.read(folder) for folder in sorted(CASES.iterdir())]


def params(prefix: str) -> list[Any]:
    """The cases of this prefix as parameters of a test."""
    return [
        pytest.param(case, id=case.name.removeprefix("row-"))
        for case in all_cases()
        if case.name.startswith(prefix)
    ]


def read(data: bytes) -> tuple[Found, ...]:
    """The reader of Dockerfiles, as `plan_file` takes it."""
    page = Page(data)
    return find_images(page.source, page)


def listed(data: bytes) -> tuple[str, ...]:
    """What is found, as found.txt has it."""
    stuck = {one.line for one in plan_file(data, read, wish).impossible}
    return tuple(_line(one, stuck) for one in read(data))


def _line(one: Found, stuck: set[int]) -> str:
    if isinstance(one, Occurrence):
        platform = f"  {one.platform}" if one.platform else ""
        ending = "  cannot-hold" if one.line in stuck else ""
        return f"{one.line}  {one.reference.text}{platform}{ending}"
    return f"{one.line}  skipped {one.reason.value}  {one.text}".rstrip()
