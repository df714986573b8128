"""What is released: the same files wherever and whenever they are built, from a commit alone."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from release import files, pins
from release.files import ReleaseError

ROOT = Path(__file__).resolve().parents[1]
PARTS = (
    *("pinner", "requirements", ".gitignore", "pyproject.toml"),
    *("README.md", "LICENSE", "CHANGELOG.md"),
)


def git(folder: Path, *arguments: str, moment: str = "2026-01-02T03:04:05Z") -> None:
    """Run git in a folder, as nobody in particular and at a given time."""
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_AUTHOR_DATE": moment}
    other = {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    path = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**who, **other, **path},
        check=True,
        capture_output=True,
    )


def checkout(folder: Path) -> Path:
    """A commit of what a release is built from, as it is here and now."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a release")
    return folder


def unjudged(bill: Path) -> None:
    """Another test asks the schema."""
    assert bill.is_file()


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("release") / "repository")


@pytest.fixture(scope="module")
def dist(repository: Path) -> Path:
    files.release(repository, repository / "dist", judge=unjudged)
    return repository / "dist"


@pytest.mark.parametrize("name", sorted(file.name for file in ROOT.glob("requirements/*.txt")))
def test_every_pin_has_hashes(name: str) -> None:
    assert pins.read(name)


def test_make_installs_nothing_without_a_hash() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    from_files = [line for line in lines if re.search(r"\binstall\b.* -r ", line)]
    assert len(from_files) == 3
    assert all("install $(PINNED) -r" in line for line in from_files)
    (pinned,) = (line for line in lines if line.startswith("PINNED :="))
    assert "--require-hashes --only-binary :all:" in pinned


def only(dist: Path, pattern: str) -> Path:
    (file,) = dist.glob(pattern)
    return file


def test_a_clone_comes_to_the_same_files(repository: Path, dist: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    files.release(tmp_path / "clone", tmp_path / "out", judge=unjudged)
    assert {file.name: sha256(file) for file in (tmp_path / "out").iterdir()} == {
        file.name: sha256(file) for file in dist.iterdir()
    }


def test_pip_builds_the_released_wheel(dist: Path, repository: Path, tmp_path: Path) -> None:
    """So nobody needs our tools to check a release."""
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check"),
            *("--wheel-dir", str(tmp_path / "out"), str(tmp_path / "clone")),
        ],
        capture_output=True,
        check=True,
    )
    assert sha256(only(tmp_path / "out", "*.whl")) == sha256(only(dist, "*.whl"))


def test_the_wheel_holds_the_package_and_its_licence_alone(dist: Path) -> None:
    with zipfile.ZipFile(only(dist, "*.whl")) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}
        names = set(archive.namelist())
    information = {name for name in top if name.endswith(".dist-info")}
    assert top - information == {"pinner"}
    assert f"{information.pop()}/licenses/LICENSE" in names
    assert "pinner/py.typed" in names


def test_every_file_has_its_hash_in_the_list(dist: Path) -> None:
    lines = (dist / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    found = {file.name: sha256(file) for file in dist.iterdir() if file.name != "SHA256SUMS"}
    assert listed == found
    assert len(found) == 4


def test_the_release_is_installed_by_hash_in_the_tested_versions(dist: Path) -> None:
    ours, *others = pins.parse(only(dist, "*.requirements.txt").read_text())
    assert set(ours.hashes) == {sha256(only(dist, "*.whl")), sha256(only(dist, "*.tar.gz"))}
    tested = {pin.name: pin for pin in pins.read("run.txt")}
    assert others
    assert all(tested[pin.name] == pin for pin in others)


@pytest.mark.parametrize("name", ["pinner/errors.py", "pinner/stray.py"], ids=["changed", "new"])
def test_a_checkout_with_changes_is_not_released(
    name: str, repository: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    with (tmp_path / "clone" / name).open("a") as file:
        file.write("# more\n")
    with pytest.raises(ReleaseError, match=f"commit or remove first:\n.* {name}"):
        files.release(tmp_path / "clone", tmp_path / "out", judge=unjudged)
    assert not (tmp_path / "out").exists()


def test_two_builds_that_differ_end_the_release(tmp_path: Path) -> None:
    for folder, content in (("one", "same"), ("other", "same")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.whl").write_text(content)
        (tmp_path / folder / "b.tar.gz").write_text(folder)
    with pytest.raises(ReleaseError, match=r"differ: b\.tar\.gz$"):
        files.same(tmp_path / "one", tmp_path / "other")


def test_an_sdist_that_lacks_a_module_ends_the_release(dist: Path, tmp_path: Path) -> None:
    files.unpack(only(dist, "*.tar.gz"), tmp_path / "all")
    (source,) = (tmp_path / "all").iterdir()
    (source / "pinner/progress.py").unlink()
    with tarfile.open(tmp_path / "less.tar.gz", "w:gz") as archive:
        archive.add(source, arcname=source.name)
    with pytest.raises(ReleaseError, match="builds into another wheel"):
        files.same_wheel(tmp_path / "less.tar.gz", only(dist, "*.whl"), tmp_path / "work")


def test_a_build_that_fails_says_what_it_said(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    (tmp_path / "clone/pinner/__init__.py").write_text("# no version\n")
    git(tmp_path / "clone", "commit", "--quiet", "--all", "--message", "broken")
    with pytest.raises(ReleaseError, match="version"):
        files.release(tmp_path / "clone", tmp_path / "out", judge=unjudged)
    assert not (tmp_path / "out").exists()
