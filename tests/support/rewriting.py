"""Cases of fixtures/rewrite: a file as it is, and as it is once every place has a digest.

fixtures/rewrite/KIND/CASE/in[.ext]         the file
                          /expected[.ext]   with a digest at every place that can hold one
                          /skipped          a line for each place that is passed over or cannot hold
                                            one: `LINE REASON TEXT`; no file, no such place

In both files `sha256:<nginx:1.25>` stands for the digest of that text, which is the one that the
place gets: the short form of what it names, with its tag (`latest` where there is none). So
expectations are written by hand. A place that has a digest and no tag stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from pinner.oci.digest import Digest
from pinner.oci.reference import Reference
from pinner.rewrite.edits import pin_edits
from pinner.rewrite.kinds import KINDS
from pinner.rewrite.model import Skipped
from pinner.rewrite.plan import plan_file
from support.tables import FIXTURES

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from pinner.rewrite.model import Edit, Occurrence
    from pinner.rewrite.plan import Reader

FOLDER: Final = FIXTURES / "rewrite"
_OF_THEIR_OWN: Final = frozenset({"dockerfile"})
_STANDS_FOR: Final = re.compile(rb"sha256:<([^<>\r\n]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One folder.

    Attributes:
        before: the file.
        expected: with every digest.
        skipped: `LINE REASON TEXT`, in the order of the file.
    """

    before: bytes
    expected: bytes
    skipped: tuple[str, ...]


def kinds_with_cases() -> list[str]:
    """The kinds that have cases of this form; those of Dockerfiles are `support.dockerfiles`'."""
    names = {kind.name for kind in KINDS if (FOLDER / kind.name).exists()}
    return sorted(names - _OF_THEIR_OWN)


def cases(kind: str) -> list[Any]:
    """All cases of a kind as parameters of a test."""
    folders = sorted(path for path in (FOLDER / kind).iterdir() if path.is_dir())
    return [pytest.param(read_case(folder), id=folder.name) for folder in folders]


def read_case(folder: Path) -> Case:
    """One case, with what `sha256:<…>` stands for written out."""
    skipped = folder / "skipped"
    return Case(
        before=written_out(_only(folder, "in")),
        expected=written_out(_only(folder, "expected")),
        skipped=tuple(skipped.read_text(encoding="utf-8").splitlines()) if skipped.exists() else (),
    )


def _only(folder: Path, stem: str) -> bytes:
    (path,) = (path for path in folder.iterdir() if path.name.partition(".")[0] == stem)
    return path.read_bytes()


def written_out(data: bytes) -> bytes:
    """With `sha256:<text>` replaced by the digest of the text."""
    return _STANDS_FOR.sub(lambda found: str(digest_of(found[1].decode())).encode(), data)


def digest_of(text: str) -> Digest:
    """The digest that a place which names this image gets."""
    return Digest("sha256", hashlib.sha256(text.encode()).hexdigest())


def wish(occurrence: Occurrence) -> tuple[Edit, ...]:
    """The edits that give a place its digest."""
    reference = Reference.parse(occurrence.reference.text)
    if reference.digest is not None and reference.tag is None:
        return ()
    wanted = reference.with_digest(None).tag_or_latest()
    return pin_edits(occurrence, tag=wanted.tag, digest=digest_of(wanted.familiar()))


def pinned(data: bytes, read: Reader) -> bytes:
    """The file with a digest at every place that can hold one."""
    return plan_file(data, read, wish).after


def passed_over(data: bytes, read: Reader) -> tuple[str, ...]:
    """What is skipped or cannot hold its digest, as the file `skipped` of a case has it."""
    skipped = [one for one in read(data) if isinstance(one, Skipped)]
    skipped += plan_file(data, read, wish).impossible
    return tuple(
        f"{one.line} {one.reason.value} {one.text}".rstrip()
        for one in sorted(skipped, key=lambda one: one.line)
    )


def check(case: Case, read: Reader) -> None:
    """The file becomes what is expected; what is expected stays as it is."""
    assert pinned(case.before, read).decode("latin-1") == case.expected.decode("latin-1")
    assert passed_over(case.before, read) == case.skipped
    assert pinned(case.expected, read) == case.expected
