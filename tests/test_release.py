"""What is released: the wheel is the same bytes wherever and whenever it is built."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("pinner", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


def copied(folder: Path) -> Path:
    """What a release is built from, as another checkout would have it: other times and modes."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source, target = ROOT / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return folder


def wheel(source: Path, target: Path) -> Path:
    """Build the wheel, offline, with the pinned backend that is installed."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check"),
            *("--wheel-dir", str(target), str(source)),
        ],
        capture_output=True,
        check=True,
    )
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("release")
    one = wheel(copied(folder / "one"), folder / "first")
    other = wheel(copied(folder / "another" / "place"), folder / "second")
    return one, other


def test_two_builds_have_one_hash(wheels: tuple[Path, Path]) -> None:
    first, second = (hashlib.sha256(built.read_bytes()).hexdigest() for built in wheels)
    assert first == second


def test_the_wheel_holds_the_package_and_its_licence_alone(wheels: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(wheels[0]) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}
        names = set(archive.namelist())
    information = {name for name in top if name.endswith(".dist-info")}
    assert top - information == {"pinner"}
    assert f"{information.pop()}/licenses/LICENSE" in names
    assert "pinner/py.typed" in names
