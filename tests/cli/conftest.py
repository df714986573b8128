"""The shell with plugged commands, in this process and as a program."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pinner.cli.main import run
from support import plugged
from support.clients import PATIENT
from support.clock import FakeClock
from support.ground import Ground
from support.proxy import TunnelProxy
from support.registry_sim import RegistrySim
from support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _measured(measured: None) -> None:
    """Few processes are started here, and what only a process does is covered here alone."""


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
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in this process never wait, not for the disk either, but for a busy machine."""
    monkeypatch.setattr("os.fsync", lambda fd: None)
    monkeypatch.setattr("pinner.cli.main.SystemClock", FakeClock)
    monkeypatch.setattr("pinner.registry.open.Tuning", lambda: PATIENT)


@pytest.fixture
def ground(tmp_path: Path, home: Path, sim: RegistrySim, impatient: None) -> Ground:
    """A project on images of `sim`; runs in this process never wait."""
    ground = Ground(tmp_path, home, sim)
    ground.plant_secrets()
    return ground


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who has issued the certificate of `secured`."""
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def secured(authority: Authority) -> ssl.SSLContext:
    """What a server on loopback, or at a name of `Abroad`, speaks https with."""
    names = ("127.0.0.1", "localhost", *NAMES)
    issued = authority.issue("secured", names=names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    return context


NAMES = (
    *(
        "registry.example",
        "auth.registry.example",
        "registry.example.evil",
        "evil-registry.example",
    ),
    *("other.example", "auth.other.example"),
)


@dataclass(frozen=True, slots=True)
class Abroad:
    """A ground whose registry is https://registry.example, which a proxy leads to.

    Attributes:
        ports: where the proxy leads to, by name; names among `NAMES` may be added.
    """

    ground: Ground
    proxy: TunnelProxy
    ports: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def abroad(
    tmp_path: Path, home: Path, authority: Authority, secured: ssl.SSLContext, impatient: None
) -> Iterator[Abroad]:
    """A project on images of a registry that has a public name."""
    ports: dict[str, int] = {}
    with (
        RegistrySim(tls=secured, name="registry.example") as sim,
        TunnelProxy(ports) as proxy,
    ):
        ports[sim.host] = sim.port
        ground = Ground(tmp_path, home, sim)
        ground.plant_secrets()
        ground.environ |= {
            "HTTPS_PROXY": f"http://{proxy.host}",
            "SSL_CERT_FILE": str(authority.ca_file),
        }
        yield Abroad(ground, proxy, ports)
