"""The proving ground of the fault catalogue: a project, its store, and what must be left alone.

    ground = Ground(folder, home, sim)
    ground.plant_secrets()                     # at the user's home
    ground.want(app="team/app:stable")         # images.toml, of images of `sim`
    ground.run("lock")                         # in this process; in one of its own: process=True

`support.oracle` judges how a command ended.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pinner.cli.main import run
from support.registry_sim import Login

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.net import LoopbackServer
    from support.registry_sim import RegistrySim

USER: Final = "ada"
PASSWORD: Final = "canary-password"
PAIR: Final = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
BASIC: Final = Login(scheme="basic", user=USER, password=PASSWORD)
BEARER: Final = Login(scheme="bearer", user=USER, password=PASSWORD)
"""What a registry asks for, that knows the planted login."""

_PINNER: Final = (sys.executable, "-P", "-m", "pinner")
_MEASURED: Final = Path(__file__).with_name("measured.py")
_PATIENCE: Final = 120
# ru_maxrss is in KiB on Linux, in bytes on macOS.
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended.

    Attributes:
        memory: the most that its process had, in bytes; 0 for a run in this process.
    """

    code: int
    out: str
    err: str
    seconds: float = 0
    memory: int = 0


@dataclass
class Ground:
    """Where commands run.

    Attributes:
        folder: holds everything below but the home.
        home: the user's.
        sim: the registry of the images.
        strangers: further servers, none of which may get a secret.
        knows_login: whether `sim` may get the planted password, since the user logged in to it.
        process: run commands as processes of their own.
        environ: more of the environment.
    """

    folder: Path
    home: Path
    sim: RegistrySim
    strangers: list[RegistrySim | LoopbackServer] = field(default_factory=list)
    knows_login: bool = False
    process: bool = False
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project = self.folder / "project"
        self.store = self.folder / "store"
        self.bystander = self.folder / "bystander"
        self.spec = self.project / "images.toml"
        self.lockfile = self.project / "images.lock"
        self.target = self.bystander / "target"
        self.docker_config = self.home / ".docker/config.json"
        for folder in (self.project, self.bystander):
            folder.mkdir(parents=True, exist_ok=True)
        self.target.write_text("what a planted link points to\n")

    def plant_secrets(self) -> None:
        """Give the user a .netrc that matches the registry, and a login for another one."""
        netrc = self.home / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
        netrc.chmod(0o600)
        self.configure_docker({"auths": {"login.example": {"auth": PAIR}}})

    def want(self, *sections: str, **images: str) -> None:
        """Write images.toml: images of `sim` by name, then whole sections of TOML."""
        lines = [f'{name} = "{self.sim.host}/{image}"' for name, image in images.items()]
        self.spec.write_text("\n".join(["[images]", *lines, *sections, ""]))

    def want_at(self, host: str, ca_file: Path) -> None:
        """Write images.toml: app:stable of another registry over https, as issued by `ca_file`."""
        self.spec.write_text(
            f'[images]\napp = "{host}/app:stable"\n[registries."{host}"]\nca-file = "{ca_file}"\n'
        )

    def configure_docker(self, config: object) -> None:
        """Write docker's config.json."""
        self.docker_config.parent.mkdir(exist_ok=True)
        self.docker_config.write_text(json.dumps(config))
        self.docker_config.chmod(0o600)

    def log_in(self) -> None:
        """Store the planted login for `sim` too, which may get it from now on."""
        self.configure_docker(
            {"auths": {"login.example": {"auth": PAIR}, self.sim.host: {"auth": PAIR}}}
        )
        self.knows_login = True

    def run(self, *argv: str) -> Ran:
        """Run a command in the project, to its end."""
        return self._process(argv) if self.process else self._here(argv)

    def start(self, *argv: str, **settings: object) -> subprocess.Popen[bytes]:
        """Start a command as a process in the project."""
        return self.start_program(*_PINNER, *argv, **settings)

    def start_program(self, *argv: str, **settings: object) -> subprocess.Popen[bytes]:
        """Start a program as a process in the project, in the environment of commands."""
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return] # settings are any
            argv,
            cwd=self.project,
            env=self._environ(),
            **{"stdin": subprocess.DEVNULL, **settings},
        )

    def _environ(self) -> Mapping[str, str]:
        planted = {"PINNER_STORE": str(self.store), "SIGNING_KEY": "canary-in-the-environment"}
        return {**os.environ, **planted, **self.environ}

    def _here(self, argv: Sequence[str]) -> Ran:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        started = time.monotonic()
        with (
            contextlib.chdir(self.project),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(argv, environ=self._environ())
        seconds = time.monotonic() - started
        return Ran(code=code, out=_text(out), err=_text(err), seconds=seconds)

    def _process(self, argv: Sequence[str]) -> Ran:
        started = time.monotonic()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            tempfile.NamedTemporaryFile() as memory,
        ):
            done = subprocess.run(
                [sys.executable, "-I", "-S", _MEASURED, memory.name, *_PINNER, *argv],
                cwd=self.project,
                env=self._environ(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                timeout=_PATIENCE,
                check=False,
            )
            return Ran(
                code=done.returncode,
                out=_all(out),
                err=_all(err),
                seconds=time.monotonic() - started,
                memory=int(_all(memory)) * _RSS_UNIT,
            )


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def _all(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()
