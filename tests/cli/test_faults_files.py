"""Section F of the fault catalogue where files are found, read and written (docs/faults.md)."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from support.files import digest, write_project
from support.oracle import converges, survived

if TYPE_CHECKING:
    from support.ground import Ground

CAP: Final = 4 * 1024 * 1024


@pytest.fixture
def project(ground: Ground) -> Ground:
    """Locked, with three Dockerfiles that are not pinned."""
    write_project(ground.project)
    for name in "abc":
        (ground.project / f"{name}.dockerfile").write_text("FROM redis\n")
    return ground


@pytest.fixture
def pinned(ground: Ground) -> Ground:
    """Locked, of a registry that answers, with a Dockerfile that is not pinned."""
    ground.sim.content.add_image("app", "stable")
    ground.want(app="app:stable")
    (ground.project / "Dockerfile").write_text(f"FROM {ground.sim.host}/app:stable\n")
    assert ground.run("lock").code == 0
    return ground


def contents(ground: Ground) -> list[str]:
    return [(ground.project / f"{name}.dockerfile").read_text()[:16] for name in "abc"]


OLD: Final = ["FROM redis\n"] * 3
NEW: Final = ["FROM redis:lates"] * 3
FILES: Final = ("a.dockerfile", "b.dockerfile", "c.dockerfile")


@pytest.mark.parametrize("command", ["check", "rewrite"])
@pytest.mark.parametrize(
    ("target", "says"),
    [("../bystander/target", "is a link out of the project"), ("/dev/zero", "is a link out of")],
)
def test_F20_a_link_out_of_the_project(
    project: Ground, command: str, target: str, says: str
) -> None:
    link = project.project / "Dockerfile"
    link.symlink_to(target)
    survived(project, command, "Dockerfile", code=2, says=["Dockerfile", "is outside of"])
    if command == "check":
        survived(project, command, code=2, says=["Dockerfile", says], lasting=False)
        return
    ran = project.run(command)
    assert ran.code == 2
    assert says in ran.err
    assert contents(project) == NEW
    assert link.is_symlink()
    assert project.target.read_text() == "what a planted link points to\n"


def test_F20_a_link_inside_is_followed_and_stays(project: Ground) -> None:
    link = project.project / "Dockerfile"
    link.symlink_to("a.dockerfile")
    ran = survived(project, "rewrite", "Dockerfile", code=0, writes=FILES)
    assert link.is_symlink()
    assert contents(project) == [*NEW[:1], *OLD[1:]]
    assert ran.out.splitlines()[0].startswith("  a.dockerfile:1  redis")


def test_F20_a_file_of_two_names_is_one_file(project: Ground) -> None:
    (project.project / "Dockerfile").symlink_to("a.dockerfile")
    ran = project.run("rewrite")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "Pinned 3 references in 3 files"


@pytest.mark.parametrize("command", ["check", "rewrite"])
@pytest.mark.parametrize("named", [True, False])
def test_F21_a_fifo_is_reported_without_a_hang(
    project: Ground, command: str, *, named: bool
) -> None:
    for name in "abc":
        (project.project / f"{name}.dockerfile").unlink()
    os.mkfifo(project.project / "Dockerfile")
    paths = ["Dockerfile"] if named else []
    survived(
        project,
        command,
        *paths,
        code=2,
        says=["Dockerfile: is not a regular file"],
        lasting=named,
    )


def test_F21_a_folder_of_this_name_is_no_file(project: Ground) -> None:
    (project.project / "Dockerfile").mkdir()
    assert project.run("rewrite").code == 0


@pytest.mark.parametrize("command", ["check", "rewrite"])
@pytest.mark.parametrize("path", ["../bystander/target", "..", "/etc/passwd", "a/../../bystander"])
def test_F22_a_path_outside_of_the_project(project: Ground, command: str, path: str) -> None:
    (project.project / "a").mkdir()
    survived(project, command, path, code=2, says=["is outside of the project"])


@pytest.mark.parametrize("command", ["check", "rewrite"])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        pytest.param("/etc/hostname", "is outside of the project", id="absolute"),
        pytest.param("../bystander/target", "is outside of the project", id="beyond"),
        pytest.param("../nowhere/*.dockerfile", "cannot be opened", id="beyond, none"),
        pytest.param("*.containerfile", "cannot be opened", id="none matches"),
        pytest.param("", "an empty text is no path", id="no text"),
        pytest.param("empty", "there is no file in it", id="a folder without files"),
    ],
)
def test_S21_paths_that_lead_out_or_nowhere(
    pinned: Ground, command: str, path: str, says: str
) -> None:
    """images.toml names no files: whoever runs pinner does, and patterns are the shell's."""
    (pinned.project / "empty").mkdir()
    dockerfile = pinned.project / "Dockerfile"
    before = dockerfile.read_bytes()
    survived(pinned, command, "Dockerfile", path, code=2, says=[path, says])
    assert dockerfile.read_bytes() == before, "one bad path, and nothing is written"
    (pinned.project / "empty").rmdir()
    assert pinned.run("rewrite", "Dockerfile").code == 0
    assert b"@sha256:" in dockerfile.read_bytes()
    converges(pinned)


def test_S21_an_absolute_path_within_the_project(pinned: Ground) -> None:
    assert pinned.run("rewrite", str(pinned.project / "Dockerfile")).code == 0
    assert "@sha256:" in (pinned.project / "Dockerfile").read_text()


def test_S21_images_toml_that_names_files(pinned: Ground) -> None:
    """It cannot: a pull request would say what is read and written then."""
    spec = pinned.spec.read_text()
    pinned.spec.write_text(f'{spec}[rewrite]\nfiles = ["/etc/hostname", "../bystander/target"]\n')
    for command in ("rewrite", "check", "lock"):
        survived(pinned, command, code=2, says=["images.toml:", '"rewrite" is not a key'])
    pinned.spec.write_text(spec)
    converges(pinned)


@pytest.mark.parametrize(
    "local", ["/../bystander/ci.yml", "../bystander/ci.yml", "/**/../../**.yml"]
)
def test_S21_a_file_that_names_files(pinned: Ground, local: str) -> None:
    """What a pipeline includes is looked for among the project's files, and nowhere else."""
    outside = pinned.bystander / "ci.yml"
    outside.write_text(f"image: {pinned.sim.host}/app:stable\n")
    (pinned.project / ".gitlab-ci.yml").write_text(f"include:\n  - local: '{local}'\n")
    said = outside.read_bytes()
    assert pinned.run("rewrite").code == 0
    assert outside.read_bytes() == said
    assert "@sha256:" in (pinned.project / "Dockerfile").read_text()
    converges(pinned)


@pytest.mark.parametrize("command", ["check", "rewrite"])
def test_F05_a_huge_file(project: Ground, command: str) -> None:
    (project.project / "Dockerfile").write_bytes(b"FROM redis\n" + b"#" * CAP)
    survived(
        project, command, "Dockerfile", code=2, says=[f"Dockerfile: is larger than {CAP} bytes"]
    )


def test_lenient_passes_a_huge_file_aloud(project: Ground) -> None:
    project.run("rewrite")
    (project.project / "Dockerfile").write_bytes(b"#" * (CAP + 1))
    ran = project.run("check", "--lenient")
    assert ran.code == 0
    assert "is larger than" in ran.err
    assert ran.out.splitlines()[-1] == "1 finding: 3 pinned, 1 file unreadable"


def test_F16_the_mode_is_kept(project: Ground) -> None:
    path = project.project / "a.dockerfile"
    path.chmod(0o750)
    before = path.stat()
    survived(project, "rewrite", code=0, writes=FILES)
    after = path.stat()
    assert stat.S_IMODE(after.st_mode) == 0o750
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_F16_a_hard_link_keeps_the_old_bytes(project: Ground) -> None:
    (project.bystander / "link").hardlink_to(project.project / "a.dockerfile")
    survived(project, "rewrite", code=0, writes=FILES)
    assert contents(project) == NEW
    assert (project.bystander / "link").read_text() == OLD[0]


def test_F23_a_file_that_changes_between_reading_and_writing(
    project: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged = os.fsync

    def meanwhile(fd: int) -> None:
        (project.project / "b.dockerfile").write_text("FROM other\n")
        staged(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", meanwhile)
        ran = project.run("rewrite")  # not under the oracle, to which nobody else writes
    assert ran.code == 5
    assert "b.dockerfile: was changed by someone else meanwhile, and is not overwritten" in ran.err
    assert contents(project) == [OLD[0], "FROM other\n", OLD[2]]
    survived(project, "rewrite", code=0, writes=FILES)
    assert contents(project) == [NEW[0], "FROM other\n", NEW[2]]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_F24_a_full_disk_leaves_every_file_as_it_was(
    project: Ground, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        survived(project, "rewrite", code=5, says=["cannot be written", os.strerror(code)])
    assert contents(project) == OLD
    survived(project, "rewrite", code=0, writes=FILES)
    assert contents(project) == NEW


def test_F25_the_third_of_several_fails(project: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace

    def third_fails(self: Path, target: Path) -> Path:
        if target.name == "c.dockerfile":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", third_fails)
        ran = survived(project, "rewrite", code=5, says=["c.dockerfile: cannot be written"])
    assert "written before it" not in ran.err
    assert contents(project) == OLD
    survived(project, "rewrite", code=0, writes=FILES)
    assert contents(project) == NEW


def test_F24_a_kill_leaves_old_or_new(project: Ground) -> None:
    files = [project.project / f"{number:03}.dockerfile" for number in range(200)]
    for file in files:
        file.write_text("FROM redis\n")
    process = project.start("rewrite")
    patience = time.monotonic() + 120
    while files[0].read_text() == "FROM redis\n" and time.monotonic() < patience:
        time.sleep(0)
    process.kill()
    process.communicate()
    said = {file.read_text() for file in files}
    new = f"FROM redis:latest@{digest('3')}\n"
    assert new in said
    assert said <= {"FROM redis\n", new}
    assert project.run("rewrite").code == 0
    assert {file.read_text() for file in files} == {new}


def test_a_line_feed_in_a_name_hides_no_file(project: Ground) -> None:
    (project.project / "odd\nname.dockerfile").write_text("FROM redis\n")
    ran = project.run("rewrite", "--check")
    assert ran.out.splitlines()[-1] == "4 references in 4 files would be pinned"
    assert "odd\\nname.dockerfile:1" in ran.out
