from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pinner.errors import NotFound
from pinner.lockfile import Lock, LockedImage, loads
from pinner.lockfile.write import dumps
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.reference import Repository
from pinner.outcome import Failed
from pinner.resolve import Added, Removed
from pinner.update.model import Unchanged, Updated
from pinner.update.proposals import Grouping, branch_part, plan_proposals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.update.model import UpdateOutcome

PATH = Path("/project/images.lock")


def pin(name: str, digit: str) -> LockedImage:
    digest = Digest("sha256", digit * 64)
    return LockedImage(
        name=name,
        repository=Repository.parse("debian"),
        tag="1",
        digest=digest,
        platforms={Platform.parse("linux/amd64"): digest},
    )


def write(lock: Lock) -> Mapping[Path, bytes]:
    return {PATH: dumps(lock).encode()}


PREVIOUS = Lock(images=(pin("a", "1"), pin("b", "1"), pin("c", "1"), pin("gone", "1")))
LOCK = Lock(images=(pin("a", "2"), pin("b", "1"), pin("c", "2"), pin("new", "2")))
OUTCOMES = (
    Updated(name="c", before=pin("c", "1"), image=pin("c", "2")),
    Unchanged(name="b", image=pin("b", "1")),
    Updated(name="a", before=pin("a", "1"), image=pin("a", "2")),
    Added(name="new", image=pin("new", "2")),
    Removed(name="gone", before=pin("gone", "1")),
)


def pins(data: bytes) -> dict[str, str]:
    return {image.name: image.digest.hex[0] for image in loads(data, path="x").images}


def test_one_commit_of_all() -> None:
    (proposal,) = plan_proposals(OUTCOMES, PREVIOUS, LOCK, write)
    assert proposal.message.subject == "build(images): update c, a, new and gone"
    assert proposal.beside == ""
    assert proposal.files == write(LOCK)


def test_a_branch_for_each() -> None:
    proposals = plan_proposals(OUTCOMES, PREVIOUS, LOCK, write, grouping=Grouping.IMAGE)
    assert [(one.beside, one.message.subject) for one in proposals] == [
        ("c", "build(images): update c 1 to 22222222"),
        ("a", "build(images): update a 1 to 22222222"),
        ("new", "build(images): add new 1"),
        ("gone", "build(images): remove gone"),
    ]
    assert [pins(one.files[PATH]) for one in proposals] == [
        {"a": "1", "b": "1", "c": "2", "gone": "1"},
        {"a": "2", "b": "1", "c": "1", "gone": "1"},
        {"a": "1", "b": "1", "c": "1", "gone": "1", "new": "2"},
        {"a": "1", "b": "1", "c": "1"},
    ]


@pytest.mark.parametrize("grouping", Grouping)
def test_nothing_moved(grouping: Grouping) -> None:
    outcomes: list[UpdateOutcome] = [
        Unchanged(name="b", image=pin("b", "1")),
        Failed(name="a", error=NotFound("gone")),
    ]
    assert plan_proposals(outcomes, PREVIOUS, PREVIOUS, write, grouping=grouping) == ()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("python", "python"),
        ("python3.12", "python3.12"),
        ("a..b", "a__b-"),
        ("a.", "a_-"),
        ("a.lock", "a_lock-"),
    ],
)
def test_the_branch_of_an_entry(name: str, part: str) -> None:
    assert branch_part(name).startswith(part)


def test_names_that_differ_in_dots_alone_have_two_branches() -> None:
    assert branch_part("a.b..") != branch_part("a_b..")
