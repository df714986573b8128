"""Which files are looked at: real git repositories, hostile ones too, and folders without git."""

from __future__ import annotations

import os
import re
import struct
from hashlib import sha1
from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.files.listing import PASSED_OVER, list_files
from support.gitrepos import Ground, environment


def found(folder: Path, *paths: str, **environ: str) -> list[str]:
    """The names of the files below a project's folder, relative to it."""
    listing = list_files(folder, [folder / path for path in paths], environ=environment(**environ))
    assert not listing.problems
    return [os.path.relpath(path, listing.root) for path in (*listing.named, *listing.found)]


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground.make(tmp_path / "repository")


def test_tracked_files_and_new_ones_that_are_not_ignored(ground: Ground) -> None:
    ground.commit({"a": "", ".gitignore": "*.log\nout/\n", "kept.log": ""})
    ground.write({"new": "", "sub/new": "", "x.log": "", "out/Dockerfile": ""})
    assert found(ground.folder) == [".gitignore", "a", "kept.log", "new", "sub/new"]


def test_names_are_taken_as_they_are(ground: Ground) -> None:
    names = ["*", "a\nb", " x", "-v", ":(top)", os.fsdecode(b"caf\xe9")]
    ground.write(dict.fromkeys(names, ""))
    assert sorted(found(ground.folder)) == sorted(names)


def test_only_the_projects_folder_of_a_larger_repository(ground: Ground) -> None:
    ground.commit({"Dockerfile": "", "app/Dockerfile": "", "application/Dockerfile": ""})
    assert found(ground.folder / "app") == ["Dockerfile"]


def test_only_below_the_given_paths(ground: Ground) -> None:
    ground.commit({"a/1": "", "a/2": "", "b/1": "", "c": ""})
    assert found(ground.folder, "a", "c") == ["c", "a/1", "a/2"]


def test_a_file_that_is_named_is_taken_though_git_ignores_it(ground: Ground) -> None:
    ground.commit({".gitignore": "*\n"})
    ground.write({"x": ""})
    assert found(ground.folder, "x") == ["x"]


def test_a_folder_that_git_ignores_is_no_folder_without_findings(ground: Ground) -> None:
    ground.commit({".gitignore": "out\n"})
    ground.write({"out/Dockerfile": ""})
    with pytest.raises(InputError, match="there is no file in it that git does not ignore"):
        found(ground.folder, "out")


def test_each_file_once(ground: Ground) -> None:
    ground.commit({"a/1": ""})
    assert found(ground.folder, ".", "a", "a/1") == ["a/1"]


def test_a_repository_that_ignores_the_project_is_not_its_own(ground: Ground) -> None:
    ground.commit({".gitignore": "*\n"})
    ground.write({"app/images.toml": "", "app/Dockerfile": "", "app/sub/Dockerfile": ""})
    assert found(ground.folder / "app") == ["Dockerfile", "images.toml", "sub/Dockerfile"]
    assert found(ground.folder / "app", "sub") == ["sub/Dockerfile"]


def test_a_repository_within_is_another_project(ground: Ground) -> None:
    Ground.make(ground.folder / "within").commit({"Dockerfile": ""})
    assert found(ground.folder) == []


def test_an_index_that_names_files_elsewhere(ground: Ground) -> None:
    ground.commit({"a": ""})
    _plant_index(ground.folder, [b"../outside", b".git/config", b"/etc/passwd", b"a"])
    listed = ground.git("ls-files", "-c")
    assert "../outside" in listed or "outside" in listed, "git itself refuses it now"
    assert found(ground.folder) == ["a"]


def test_without_git_folders_of_tools_are_passed_over(tmp_path: Path) -> None:
    for name in ("a/Dockerfile", "b", *(f"{name}/Dockerfile" for name in PASSED_OVER)):
        if name.startswith(".git/"):
            continue
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert found(tmp_path) == ["a/Dockerfile", "b"]


def test_the_folders_that_are_passed_over_are_documented() -> None:
    page = Path(__file__).parents[3] / "docs/files/README.md"
    prose = page.read_text(encoding="utf-8").partition("folders are walked, but for these:\n")[2]
    listed = prose.strip().partition("\n\n")[0]
    assert set(re.findall(r"`([^`]+)`", listed)) == PASSED_OVER


def test_where_git_is_not_installed_folders_are_walked(ground: Ground) -> None:
    ground.write({"a/Dockerfile": "", "node_modules/x/Dockerfile": ""})
    assert found(ground.folder, PATH="/nowhere") == ["a/Dockerfile"]


def test_a_walk_follows_no_links(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/Dockerfile").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert found(tmp_path) == ["loop", "real/Dockerfile"]


@pytest.mark.parametrize("path", ["..", "../beside", "link"])
def test_F22_a_path_outside_of_the_project_is_refused(tmp_path: Path, path: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "beside").touch()
    (project / "link").symlink_to(tmp_path / "beside")
    with pytest.raises(InputError, match="is outside of the project"):
        found(project, path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [("gone", "No such file"), ("loop", "symbolic links|loop"), ("nul\0", "null|loop")],
)
def test_a_path_that_cannot_be_opened(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match=reason):
        found(tmp_path, path)


def _plant_index(folder: Path, names: list[bytes]) -> None:
    """Write an index of version 2 (gitformat-index) whose names no git would have put there."""
    entries = b""
    for name in sorted(names):
        fixed = struct.pack(">10I", 0, 0, 0, 0, 0, 0, 0o100644, 0, 0, 0) + bytes(20)
        entry = fixed + struct.pack(">H", len(name)) + name
        entries += entry + bytes(8 - len(entry) % 8)
    content = b"DIRC" + struct.pack(">2I", 2, len(names)) + entries
    (folder / ".git/index").write_bytes(content + sha1(content, usedforsecurity=False).digest())
