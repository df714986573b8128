"""Which folder is the project, and how its files are named and missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pinner.cli.project import Project
from pinner.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_nearest_folder_upwards_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "images.toml").touch()
    (tmp_path / "a/b").mkdir(parents=True)
    project = Project.find(tmp_path / "a/b")
    assert project.folder == tmp_path
    assert project.shown(project.spec_path) == "../../images.toml"


def test_the_nearer_of_two_wins(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "images.toml").touch()
    (tmp_path / "a/images.toml").touch()
    project = Project.find(tmp_path / "a")
    assert project.folder == tmp_path / "a"
    assert project.shown(project.lock_path) == "images.lock"


def test_the_search_ends_at_the_root_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "images.toml").touch()
    (tmp_path / "repository/.git").mkdir(parents=True)
    (tmp_path / "repository/sub").mkdir()
    assert Project.find(tmp_path / "repository/sub").folder == tmp_path / "repository/sub"


def test_the_root_of_a_repository_is_searched(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "images.toml").touch()
    (tmp_path / "sub").mkdir()
    assert Project.find(tmp_path / "sub").folder == tmp_path


def test_without_a_spec_the_folder_itself_is_the_project(tmp_path: Path) -> None:
    project = Project.find(tmp_path)
    assert project.folder == tmp_path
    with pytest.raises(InputError, match=r"there is no images\.toml") as caught:
        project.spec_data()
    assert ["pinner init" in caught.value.mend[0], "pinner add" in caught.value.mend[1]] == [
        True
    ] * 2


def test_L01_without_a_lockfile_the_mend_is_to_lock(tmp_path: Path) -> None:
    project = Project.find(tmp_path)
    assert project.read_lock() is None
    with pytest.raises(InputError, match=r"there is no images\.lock") as caught:
        project.require_lock()
    assert caught.value.mend == ("run `pinner lock`",)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(InputError, match="is not a folder"):
            Project.find(path)
