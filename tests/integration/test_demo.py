"""The whole demo: real processes, the embedded registry, a temporary folder."""

from __future__ import annotations

import os
import re
import resource
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pinner.clock import SystemClock
from pinner.demo import run
from pinner.demo.publications import first_publications, rebuilt_debian
from pinner.demo.roots import DEBIAN, DEBIAN_UPDATED

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    exit_code: int
    text: str
    cpu_seconds: float
    left_behind: tuple[str, ...]

    def output_of(self, command: str) -> list[str]:
        """What each run of the command wrote."""
        runs = re.findall(
            rf"^\$ {re.escape(command)}\n((?:(?!\$ |# ).*\n)*)", self.text, re.MULTILINE
        )
        assert runs, f"the story has no `{command}`"
        return runs


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    temporary: Path = tmp_path_factory.mktemp("demo")
    pieces: list[str] = []
    began = _cpu_seconds()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        exit_code = run(pieces.append, environ=os.environ, clock=SystemClock())
    return Told(
        exit_code=exit_code,
        text="".join(pieces),
        cpu_seconds=_cpu_seconds() - began,
        left_behind=tuple(path.name for path in temporary.iterdir()),
    )


def test_every_command_ends_as_the_story_says(told: Told) -> None:
    assert told.exit_code == 0


def test_it_takes_less_than_10_seconds(told: Told) -> None:
    assert told.cpu_seconds < 10  # of work, so that a busy machine is no failure


def test_it_leaves_nothing_behind(told: Told) -> None:
    assert told.left_behind == ()


def test_locking_costs_one_manifest_an_entry(told: Told) -> None:
    first, second = told.output_of("pinner lock")
    assert "(4 manifest requests)" in first
    assert "(1 manifest request)" in second


def test_the_files_stay_pinned(told: Told) -> None:
    said = [output.strip() for output in told.output_of("pinner check")]
    assert said == ["Every reference in 2 files is pinned as locked: 4 pinned"] * 2


def test_a_second_sync_asks_nobody(told: Told) -> None:
    _, second, _ = told.output_of("pinner sync")
    assert "0 requests" in second


def test_the_lock_holds_while_the_tag_moves(told: Told) -> None:
    locked = next(one.image for one in first_publications() if one.repository == "debian")
    assert rebuilt_debian().image.digest.short in told.text
    (images,) = told.output_of("pinner images --store ../other-machine")
    (row,) = [line for line in images.splitlines() if "/debian " in line]
    assert any(blob.short in row for blob in locked.blobs)
    assert not any(blob.short in row for blob in rebuilt_debian().image.blobs)


def test_a_stale_lockfile_is_noticed(told: Told) -> None:
    fresh, stale = told.output_of("pinner lock --check")
    assert "redis" in stale
    assert "redis" not in fresh


def test_the_questions_that_are_answered_no_show_their_exit_code(told: Told) -> None:
    # outdated, and lock --check once images.toml was edited
    assert told.text.count("$ echo $?\n1\n") == 2


def test_the_update_names_what_the_rebuild_changes(told: Told) -> None:
    before = {package.name: package.version for package in DEBIAN}
    after = {package.name: package.version for package in DEBIAN_UPDATED}
    (summary,) = told.output_of("cat summary.md")
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `([^`]+)` \|", summary, re.MULTILINE)
    moved = [(name, before[name], after[name]) for name in before if before[name] != after[name]]
    assert sorted(rows) == sorted(moved)
    (updated,) = told.output_of("pinner update --fetch --rewrite --summary summary.md")
    assert "4 packages, 4 CVEs named fixed" in updated
