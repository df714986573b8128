from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from pinner.cli.main import run
from support import publishers
from support.gitrepos import IDENTITY, Ground

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Update = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Ground:
    """A project of two images in a repository; the tags of both have moved."""
    ground = Ground.make(tmp_path / "project")
    ground.commit(publishers.project(node="1", python="1"))
    (tmp_path / "tags").write_text("python 2\nnode 3\n")
    return ground


@pytest.fixture
def update(
    folder: Ground, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Update:
    """Run `pinner update` there."""
    monkeypatch.chdir(folder.folder)

    def invoke(*argv: str, **more: str) -> tuple[int, str, str]:
        environ = {
            **os.environ,
            **IDENTITY,
            publishers.TAGS: str(folder.folder.parent / "tags"),
            **more,
        }
        code = run(["update", *argv], environ=environ, table=publishers.COMMANDS)
        return (code, *capsys.readouterr())

    return invoke


def test_without_the_options_git_is_not_needed(folder: Ground, update: Update) -> None:
    assert update(PATH="/nowhere") == (0, "", "")
    assert folder.git("status", "--porcelain") == " M images.lock"


def test_a_commit(folder: Ground, update: Update) -> None:
    code, out, err = update("--commit")
    assert (code, err) == (0, "")
    assert out == f"Committed to main: {folder.git('rev-parse', 'HEAD')[:12]}\n"
    assert folder.git("log", "-1", "--format=%s") == "build(images): update node and python"
    assert folder.git("status", "--porcelain") == ""


def test_a_branch(folder: Ground, update: Update) -> None:
    before = folder.state()
    _, first, _ = update("--branch", "pinner/update")
    commit = folder.git("rev-parse", "--short=12", "pinner/update")
    assert first == f"Committed to pinner/update: {commit}\n"
    assert update("--branch", "pinner/update") == (
        0,
        f"pinner/update has this update already: {commit}\n",
        "",
    )
    assert folder.state() == before


def test_a_branch_for_each(folder: Ground, update: Update) -> None:
    code, out, _ = update("--branch", "up", "--group-by", "image", "--json")
    published = json.loads(out)["published"]
    assert code == 0
    assert [(one["branch"], one["changed"]) for one in published] == [
        ("up/node", True),
        ("up/python", True),
    ]
    assert published[0]["commit"] == folder.git("rev-parse", "up/node")
    assert published[0]["base"] == folder.git("rev-parse", "main")
    assert "+digest" in folder.git("show", "up/node")
    assert "3333" not in folder.git("show", "up/python")


def test_a_refused_branch_is_told(folder: Ground, update: Update) -> None:
    folder.git("branch", "up")
    code, out, err = update("--branch", "up", "--group-by", "image")
    assert (code, out) == (2, "")
    assert err.count("git cannot have branch") == 2
    _, out, _ = update("--branch", "up", "--group-by", "image", "--json")
    assert [one["error"]["code"] for one in json.loads(out)["published"]] == ["input", "input"]


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (("--commit", "--branch", "x"), "--commit and --branch exclude each other"),
        (("--commit", "--dry-run"), "--dry-run changes nothing, so it does not commit either"),
        (("--branch", "x", "--dry-run"), "--dry-run changes nothing, so it does not commit either"),
        (("--base", "main"), "--base needs --branch"),
        (("--commit", "--group-by", "image"), "--group-by needs --branch"),
        (("--force",), "--force needs --branch"),
    ],
)
def test_options_that_contradict_each_other(
    folder: Ground,
    update: Update,
    argv: tuple[str, ...],
    complaint: str,
) -> None:
    code, _, err = update(*argv)
    assert (code, err.splitlines()[0]) == (2, f"error: {complaint}")
    assert folder.git("status", "--porcelain") == ""


def test_no_repository(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    update: Update,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name, text in publishers.project(a="1").items():
        (outside / name).write_text(text)
    monkeypatch.chdir(outside)
    code, _, err = update("--commit")
    assert (code, err.splitlines()[0]) == (2, "error: .: is in no git repository")


def test_a_project_in_a_folder_of_the_repository(
    folder: Ground,
    monkeypatch: pytest.MonkeyPatch,
    update: Update,
) -> None:
    inside = {f"deep/er/{name}": text for name, text in publishers.project(python="1").items()}
    folder.commit(inside)
    monkeypatch.chdir(folder.folder / "deep/er")
    assert update("--branch", "up")[0] == 0
    assert folder.git("diff", "--name-only", "main", "up") == "deep/er/images.lock"
