from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pinner.demo.publications import Publication, rebuilt_debian
from pinner.demo.steps import Edit, Publish, Run, Say, Show, Step, StoryBroke, Write, tell
from pinner.demo.story import story

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


@dataclass
class FakeStage:
    folder: Path
    exit_code: int = 0
    commands: list[list[str]] = field(default_factory=list)
    published: list[Publication] = field(default_factory=list)

    def run(self, arguments: Sequence[str], write: Callable[[str], None]) -> int:
        self.commands.append(list(arguments))
        write("output\n")
        return self.exit_code

    def publish(self, publication: Publication) -> None:
        self.published.append(publication)


@pytest.fixture
def stage(tmp_path: Path) -> FakeStage:
    return FakeStage(tmp_path)


def told(stage: FakeStage, *steps: Step) -> str:
    pieces: list[str] = []
    tell(steps, stage, pieces.append)
    assert all(piece.endswith("\n") for piece in pieces)
    return "".join(pieces)


def test_a_remark_is_commented(stage: FakeStage) -> None:
    assert told(stage, Say("one\ntwo"), Say("three")) == "# one\n# two\n\n# three\n"


def test_a_file_is_written_in_silence_and_shown(stage: FakeStage) -> None:
    assert told(stage, Write("a.txt", "1\n2\n3\n"), Show("a.txt")) == "$ cat a.txt\n1\n2\n3\n"


def test_the_first_lines_of_a_file(stage: FakeStage) -> None:
    (stage.folder / "a.txt").write_text("1\n2\n3\n")
    assert told(stage, Show("a.txt", lines=2)) == "$ head -n 2 a.txt\n1\n2\n"


def test_a_command_is_shown_with_its_output(stage: FakeStage) -> None:
    assert told(stage, Run("pinner sync --store '../a b'")) == (
        "$ pinner sync --store '../a b'\noutput\n"
    )
    assert stage.commands == [["sync", "--store", "../a b"]]


def test_an_exit_code_is_shown_where_it_is_not_0(stage: FakeStage) -> None:
    stage.exit_code = 1
    assert told(stage, Run("pinner lock --check", exit_code=1)) == (
        "$ pinner lock --check\noutput\n$ echo $?\n1\n"
    )


@pytest.mark.parametrize(("ends", "wanted"), [(3, 0), (0, 1)])
def test_a_story_stops_where_a_command_ends_otherwise(
    stage: FakeStage, ends: int, wanted: int
) -> None:
    stage.exit_code = ends
    with pytest.raises(StoryBroke, match=f"`pinner lock` ended with {ends}"):
        told(stage, Run("pinner lock", exit_code=wanted), Run("pinner sync"))
    assert stage.commands == [["lock"]]


def test_an_edit_changes_the_file_and_shows_the_lines(stage: FakeStage) -> None:
    (stage.folder / "a.txt").write_text("x\nold line\n")
    assert told(stage, Edit("a.txt", "old line", "new line")) == "-old line\n+new line\n"
    assert (stage.folder / "a.txt").read_text() == "x\nnew line\n"


def test_an_edit_of_what_is_not_there_is_a_mistake_of_the_story(stage: FakeStage) -> None:
    (stage.folder / "a.txt").write_text("x\n")
    with pytest.raises(StoryBroke):
        told(stage, Edit("a.txt", "old", "new"))


def test_a_tag_moves_in_silence(stage: FakeStage) -> None:
    publication = rebuilt_debian()
    assert told(stage, Publish(publication)) == ""
    assert stage.published == [publication]


def test_the_story_shows_the_main_job() -> None:
    commands = [step.command for step in story("127.0.0.1:5000") if isinstance(step, Run)]
    first = [command.split()[1] for command in commands[:7]]
    assert first == ["init", "lock", "rewrite", "rewrite", "check", "sync", "sync"]
    assert all(command.startswith("pinner ") for command in commands)


def test_the_files_name_the_registry_and_nothing_else() -> None:
    texts = [step.text for step in story("127.0.0.1:5000") if isinstance(step, Write)]
    assert "".join(texts).count("127.0.0.1:5000/") == 4


def test_remarks_fit_a_narrow_terminal() -> None:
    remarks = [step.text for step in story("127.0.0.1:65535") if isinstance(step, Say)]
    assert max(len(line) for text in remarks for line in text.splitlines()) <= 90
