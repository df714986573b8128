"""The project's own rules: who may import whom, and what is pinned."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP_LEVEL = {
    *("pinner", "tests", "fixtures", "docs", "requirements", ".ci"),
    *("pyproject.toml", "Makefile", ".gitignore", ".pre-commit-hooks.yaml", "action.yml"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md"),
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    """The distributions that are asked for, normalised as the index does."""
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in found if name}


def listed(file: str) -> list[str]:
    """The requirements of a file, without its comments."""
    lines = (ROOT / "requirements" / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pinned(file: str) -> dict[str, str]:
    """Name and version of each pin of a requirements file."""
    text = (ROOT / "requirements" / file).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", text, re.MULTILINE))


def test_the_top_level_holds_what_convention_puts_there() -> None:
    """A note or scratch file that was committed by accident is seen here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a checkout of git")
    top = {name.partition("/")[0] for name in listed.stdout.split("\0") if name}
    assert top - TOP_LEVEL == set()


def test_imports_point_down() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        pytest.param("run.txt", PROJECT["project"]["dependencies"], id="run"),
        pytest.param("run.txt", PROJECT["build-system"]["requires"], id="build"),
        pytest.param("dev.txt", PROJECT["project"]["dependencies"], id="dev-run"),
        pytest.param("dev.txt", PROJECT["dependency-groups"]["dev"], id="dev"),
        pytest.param("release.txt", listed("release.in"), id="release"),
        pytest.param("run.txt", listed("build.in"), id="build-tools"),
    ],
)
def test_everything_that_is_asked_for_is_pinned(file: str, wanted: list[str]) -> None:
    missing = names(wanted) - pinned(file).keys()
    assert not missing, f"run `make requirements`: {file} lacks {missing}"


def test_both_files_pin_the_same_versions() -> None:
    development = pinned("dev.txt")
    different = {
        name for name, version in pinned("run.txt").items() if development.get(name) != version
    }
    assert not different


def test_no_index_is_named() -> None:
    for file in (ROOT / "requirements").iterdir():
        assert "://" not in file.read_text()
