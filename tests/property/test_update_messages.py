"""Messages of commits, whatever the images are called."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pinner.lockfile import LockedImage
from pinner.resolve import Added, Changed, Removed
from pinner.update.message import write_message
from pinner.update.model import Updated
from pinner.update.proposals import branch_part
from support.gitrepos import environment
from support.strategies import digests, platforms, references

if TYPE_CHECKING:
    from pinner.update.message import Move

NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,80}", fullmatch=True)
REFUSABLE = st.from_regex(r"[a-z0-9]([a.-]|\.lock|lock){0,6}", fullmatch=True)


@st.composite
def pins(draw: st.DrawFn, name: str) -> LockedImage:
    reference = draw(references())
    digest = draw(digests())
    return LockedImage(
        name=name,
        repository=reference.repository,
        tag=reference.tag,
        digest=digest,
        platforms=dict.fromkeys(draw(st.lists(platforms(), min_size=1, max_size=2)), digest),
    )


@st.composite
def moves(draw: st.DrawFn, name: str) -> Move:
    before, image = draw(pins(name)), draw(pins(name))
    kinds: list[Move] = [
        Updated(name=name, before=before, image=image),
        Changed(name=name, before=before, image=image),
        Added(name=name, image=image),
        Removed(name=name, before=before),
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def move_lists(draw: st.DrawFn) -> list[Move]:
    names = draw(st.lists(NAMES, min_size=1, max_size=9, unique=True))
    return [draw(moves(name)) for name in names]


@given(move_lists())
def test_a_message_fits_and_is_plain_text(listed: list[Move]) -> None:
    message = write_message(listed, {})
    assert len(message.subject) <= 72
    assert message.subject.startswith("build(images): ")
    assert message.subject.isprintable()
    lines = message.body.split("\n")
    assert [line.partition(":")[0] for line in lines] == [move.name for move in listed]
    assert all(line.isprintable() for line in lines)


@given(st.lists(NAMES | REFUSABLE, min_size=2, max_size=2, unique=True))
def test_no_two_entries_share_a_branch(names: list[str]) -> None:
    first, second = map(branch_part, names)
    assert first != second


@given(NAMES | REFUSABLE)
def test_a_plain_name_is_kept(name: str) -> None:
    if re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", name):
        assert branch_part(name) == name


@settings(max_examples=30)
@given(REFUSABLE)
def test_git_takes_the_branch_of_any_entry(name: str) -> None:
    branch = f"pinner/update/{branch_part(name)}"
    subprocess.run(["git", "check-ref-format", "--branch", branch], env=environment(), check=True)
