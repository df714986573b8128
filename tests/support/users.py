"""A user who logs in: a home of their own, helpers on their PATH, and programs that they run."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from pinner.cli import main
from support.programs import clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PINNER: Final = (sys.executable, "-P", "-m", "pinner")
_PATIENCE: Final = 120

# A helper as docker's own are: one login in a file for each server.
_HELPER: Final = """\
#!{python}
import hashlib, json, pathlib, sys
folder = pathlib.Path({folder!r})
folder.mkdir(exist_ok=True)
action, text = sys.argv[1], sys.stdin.read()
print(action, file=open({log!r}, "a"))
def file(server):
    return folder / hashlib.sha256(server.strip().encode()).hexdigest()
if action == "store":
    file(json.loads(text)["ServerURL"]).write_text(text)
elif action in ("get", "erase") and not file(text).exists():
    print("credentials not found in native keychain")
    sys.exit(1)
elif action == "get":
    print(file(text).read_text())
elif action == "erase":
    file(text).unlink()
elif action == "list":
    documents = [json.loads(path.read_text()) for path in folder.iterdir()]
    print(json.dumps({{each["ServerURL"]: each["Username"] for each in documents}}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str


@dataclass
class User:
    """Somebody with an empty home.

    Attributes:
        here: run pinner in this process, so that its clock can be another one.
        said: all that programs have written, for a look for secrets.
    """

    folder: Path
    here: bool = False
    environ: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        self.bin = self.folder / "bin"
        self.config = self.home / ".docker/config.json"
        for folder in (self.home, self.bin):
            folder.mkdir(parents=True, exist_ok=True)

    def configure(self, document: object) -> None:
        """Write docker's config.json; a text as it is."""
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_text(document if isinstance(document, str) else json.dumps(document))
        self.config.chmod(0o600)

    def configured(self) -> Any:
        """The document in docker's config.json."""
        return json.loads(self.config.read_bytes())

    def install(self, name: str, body: str = "") -> None:
        """A helper of this name: an honest one, or a shell script."""
        program = self.bin / f"docker-credential-{name}"
        honest = _HELPER.format(
            python=sys.executable,
            folder=str(self.folder / f"kept-by-{name}"),
            log=str(self.folder / f"asked-of-{name}"),
        )
        program.write_text(f"#!/bin/sh\n{body}\n" if body else honest)
        program.chmod(0o755)

    def asked(self, name: str) -> list[str]:
        """What a helper was asked to do, in order."""
        log = self.folder / f"asked-of-{name}"
        return log.read_text().split() if log.exists() else []

    def pinner(self, *argv: str, stdin: str = "", code: int = 0) -> Ran:
        """Run pinner without a terminal; its exit code has to be `code`."""
        ran = self._here(argv, stdin) if self.here else self.run(*_PINNER, *argv, stdin=stdin)
        assert ran.code == code, f"pinner {' '.join(argv)}: exit {ran.code}\n{ran.out}{ran.err}"
        return ran

    def _here(self, argv: Sequence[str], stdin: str) -> Ran:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
        ):
            for name in list(os.environ):
                patch.delenv(name)
            for name, value in self.environment().items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
            code = main.run(argv, environ=dict(os.environ))
        out, err = (stream.buffer.getvalue().decode() for stream in streams)
        self.said += [out, err]
        return Ran(code=code, out=out, err=err)

    def run(self, *argv: str, stdin: str = "") -> Ran:
        """Run a program as this user, to whatever end."""
        process = self.start(*argv)
        out, err = process.communicate(stdin, timeout=_PATIENCE)
        self.said += [out, err]
        return Ran(code=process.returncode, out=out, err=err)

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a program as this user."""
        return subprocess.Popen(
            argv,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def start_pinner(self, *argv: str) -> subprocess.Popen[str]:
        """Start pinner as this user."""
        return self.start(*_PINNER, *argv)

    def environment(self) -> dict[str, str]:
        """What programs find."""
        clean = clean_environment(self.home)
        path = os.pathsep.join([str(self.bin), clean["PATH"]])
        return {**clean, "PATH": path, **self.environ}
