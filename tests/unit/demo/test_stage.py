from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pinner import __version__
from pinner.demo.publications import rebuilt_debian
from pinner.demo.stage import ProcessStage

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.demo.publications import Publication

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/home/somebody",
    "DOCKER_AUTH_CONFIG": "canary",
    "HTTPS_PROXY": "http://canary",
    "PINNER_JOBS": "canary",
}


@pytest.fixture
def published() -> list[Publication]:
    return []


@pytest.fixture
def stage(tmp_path: Path, published: list[Publication]) -> ProcessStage:
    return ProcessStage(tmp_path, publish=published.extend, environ=ENVIRON)


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Let a shell script stand for Python."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def test_it_runs_pinner_itself(stage: ProcessStage) -> None:
    output: list[str] = []
    assert stage.run(["--version"], output.append) == 0
    assert output == [f"pinner {__version__}\n"]


def test_both_streams_come_line_by_line_with_the_exit_code(
    stage: ProcessStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, "echo one; echo two >&2; echo three; exit 3")
    output: list[str] = []
    assert stage.run([], output.append) == 3
    assert output == ["one\n", "two\n", "three\n"]


def test_commands_run_in_the_project_and_never_import_from_it(
    stage: ProcessStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, 'pwd; echo "$@"')
    output: list[str] = []
    stage.run(["lock", "--check"], output.append)
    assert output == [f"{stage.folder}\n", "-P -m pinner lock --check\n"]


def test_nothing_of_the_users_environment_reaches_a_command(
    stage: ProcessStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path, "env")
    output: list[str] = []
    stage.run([], output.append)
    environment = dict(line.rstrip("\n").split("=", 1) for line in output)
    assert "canary" not in "".join(output)
    assert environment["HOME"] == str(tmp_path / "home")
    assert environment["PINNER_STORE"] == str(tmp_path / "store")


def test_a_publication_goes_to_the_registry(
    stage: ProcessStage, published: list[Publication]
) -> None:
    publication = rebuilt_debian()
    stage.publish(publication)
    assert published == [publication]
