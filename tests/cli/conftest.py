"""The shell with plugged commands, in this process and as a program."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinner.cli.main import run
from support import plugged
from support.clients import IMPATIENT
from support.clock import FakeClock
from support.ground import Ground
from support.registry_sim import RegistrySim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ran]:
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*argv: str, **environ: str) -> Ran:
        code = run(argv, environ={**os.environ, **environ}, table=plugged.COMMANDS)
        return Ran(code, *capsys.readouterr())

    return invoke


@pytest.fixture
def pinner(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ran]:
    """Run pinner itself in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*argv: str, **environ: str) -> Ran:
        code = run(argv, environ={**os.environ, **environ})
        return Ran(code, *capsys.readouterr())

    return invoke


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command line as a process of its own, in an empty folder."""

    def start(*argv: str, environ: dict[str, str] | None = None, **settings: Any) -> Any:
        settings = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "cwd": tmp_path,
            "text": True,
            **settings,
        }
        path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        return subprocess.Popen(
            [sys.executable, "-m", "support.plugged", *argv],
            env={**os.environ, "PYTHONPATH": path, **(environ or {})},
            **settings,
        )

    return start


@pytest.fixture
def sim() -> Iterator[RegistrySim]:
    """A registry that can be told to misbehave."""
    with RegistrySim() as sim:
        yield sim


@pytest.fixture
def ground(tmp_path: Path, home: Path, sim: RegistrySim, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A project on images of `sim`; runs in this process never wait."""
    monkeypatch.setattr("pinner.cli.main.SystemClock", FakeClock)
    monkeypatch.setattr("pinner.registry.open.Tuning", lambda: IMPATIENT)
    ground = Ground(tmp_path, home, sim)
    ground.plant_secrets()
    return ground
