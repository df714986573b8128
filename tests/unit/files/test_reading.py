"""Files of a project: what is read, and what is refused without hanging."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError
from pinner.files.reading import LIMIT, TreeReader
from pinner.rewrite.kinds import HEAD

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("not ours")
    return folder


def read(project: Path, name: str, *, kind: str | None = "some") -> tuple[str, bytes] | None:
    opened = TreeReader(str(project.resolve())).read(f"{project}/{name}", name, lambda _: kind)
    return None if opened is None else (os.path.relpath(opened.path, project), opened.data)


@pytest.mark.parametrize("size", [0, 1, HEAD - 1, HEAD, HEAD + 1, LIMIT])
def test_the_whole_file(project: Path, size: int) -> None:
    (project / "a").write_bytes(b"x" * size)
    assert read(project, "a") == ("a", b"x" * size)


def test_F05_a_file_above_the_cap_is_refused(project: Path) -> None:
    (project / "a").write_bytes(b"x" * (LIMIT + 1))
    with pytest.raises(InputError, match=f"is larger than {LIMIT} bytes"):
        read(project, "a")


def test_a_huge_file_of_no_kind_is_none_of_ours(project: Path) -> None:
    (project / "a").write_bytes(b"x" * (LIMIT + 1))
    assert read(project, "a", kind=None) is None


def test_the_kind_is_judged_by_the_first_bytes(project: Path) -> None:
    (project / "a").write_bytes(b"x" * HEAD + b"y")
    heads: list[bytes] = []
    TreeReader(str(project.resolve())).read(f"{project}/a", "a", heads.append)
    assert heads == [b"x" * HEAD]


@pytest.mark.parametrize("name", ["gone", "gone/below", "file/below", "dangling"])
def test_a_file_that_is_gone(project: Path, name: str) -> None:
    (project / "file").touch()
    (project / "dangling").symlink_to("nothing")
    assert read(project, name) is None


@pytest.mark.parametrize(
    "name", ["link", "folder/file", "folder/../link", "deep/er/folder/file", "chain"]
)
def test_F20_a_link_inside_is_followed(project: Path, name: str) -> None:
    (project / "real").mkdir()
    (project / "real/file").write_text("ours")
    (project / "link").symlink_to("real/file")
    (project / "chain").symlink_to("link")
    (project / "folder").symlink_to("real")
    (project / "deep/er").mkdir(parents=True)
    (project / "deep/er/folder").symlink_to(project / "real")
    assert read(project, name) == ("real/file", b"ours")


@pytest.mark.parametrize("name", ["link", "folder/secret", "deep/folder/secret", "hop"])
def test_F20_a_link_out_of_the_project_is_refused(project: Path, name: str) -> None:
    (project / "link").symlink_to("../outside/secret")
    (project / "folder").symlink_to("../outside")
    (project / "deep").mkdir()
    (project / "deep/folder").symlink_to("../folder")
    (project / "hop").symlink_to("folder/secret")
    with pytest.raises(InputError, match="is a link out of the project"):
        read(project, name)


def test_a_sibling_whose_name_begins_alike_is_outside(project: Path) -> None:
    beside = project.with_name("project-2")
    beside.mkdir()
    (beside / "file").touch()
    (project / "link").symlink_to(beside / "file")
    with pytest.raises(InputError, match="is a link out of the project"):
        read(project, "link")


@pytest.mark.parametrize("kind", ["fifo", "folder", "loop"])
def test_F21_what_is_no_file_is_refused_at_once(project: Path, kind: str) -> None:
    path = project / "it"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("it")
    with pytest.raises(InputError, match=r"is not a regular file|its links form a loop"):
        read(project, "it")


def test_F21_a_device_is_refused(project: Path) -> None:
    reader = TreeReader("/dev")
    with pytest.raises(InputError, match="is not a regular file"):
        reader.read("/dev/zero", "zero", lambda _: "some")


def test_a_file_that_may_not_be_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a").touch()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        read(project, "a")
