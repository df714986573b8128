"""A user's folder, home and store, and the `pinner` command in them: a process, as in a terminal.

workspace.want(app=f"{registry.address}/team/app:1")
workspace.pinner("lock")
document = workspace.document("sync")          # what --json prints
workspace.names()                              # read from index.json, without pinner
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.clients import store_login
from support.layouts import REF_NAME
from support.programs import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.registries import Registry

# -P: what lies in the project's folder is never imported.
_PINNER: Final = (sys.executable, "-P", "-m", "pinner")
_PATIENCE: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Workspace:
    """Empty at first; nothing of the machine's user is in reach.

    Attributes:
        folder: the project's, where commands run.
        home: with `.docker` and `.config`, where tests put them.
        store: where `PINNER_STORE` points.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.home = folder / "home"
        self.store = folder / "store"
        for new in (self.folder, self.home):
            new.mkdir(parents=True, exist_ok=True)
        self._started: list[subprocess.Popen[str]] = []

    def end(self) -> None:
        """End what a failing test left running."""
        for process in self._started:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    def want(self, *sections: str, **images: str) -> None:
        """Write images.toml: these images, in the short form, then whole sections of TOML."""
        wishes = [f'{name} = "{reference}"' for name, reference in images.items()]
        text = "\n".join(["[images]", *wishes, *sections, ""])
        (self.folder / "images.toml").write_text(text)

    def log_in(self, registry: Registry) -> None:
        """Store the registry's login, if it wants one, as `docker login` does."""
        if registry.user:
            store_login(self.home, registry.address, registry.user, registry.password)

    def pinner(self, *argv: str, code: int = 0, environ: Mapping[str, str] | None = None) -> Ran:
        """Run a command to its end; its exit code has to be `code`."""
        process = self.start(*argv, environ=environ)
        out, err = process.communicate(timeout=_PATIENCE)
        said = f"pinner {' '.join(argv)}: exit {process.returncode}\n{out}{err}"
        assert process.returncode == code, said
        return Ran(code=process.returncode, out=out, err=err)

    def document(self, *argv: str, code: int = 0, environ: Mapping[str, str] | None = None) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self.pinner(*argv, "--json", code=code, environ=environ).out)

    def start(self, *argv: str, environ: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command; `communicate` takes what it writes."""
        process = subprocess.Popen(
            [*_PINNER, *argv],
            cwd=self.folder,
            env=clean_environment(self.home, {"PINNER_STORE": str(self.store), **(environ or {})}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._started.append(process)
        return process

    def locked(self) -> bytes:
        """The bytes of images.lock."""
        return (self.folder / "images.lock").read_bytes()

    def blobs(self) -> dict[str, int]:
        """The size of every blob that has its final name in the store, by digest."""
        folder = self.store / "blobs/sha256"
        if not folder.exists():
            return {}
        return {f"sha256:{file.name}": file.stat().st_size for file in folder.iterdir()}

    def tags(self) -> dict[str, str]:
        """The names in index.json that have no digest, and the digest that each stands for."""
        return {name: digest for name, digest in self.names().items() if "@" not in name}

    def names(self) -> dict[str, str]:
        """Every name in index.json, and the digest that it stands for."""
        file = self.store / "index.json"
        if not file.exists():
            return {}
        entries = json.loads(file.read_bytes())["manifests"]
        return {entry["annotations"][REF_NAME]: entry["digest"] for entry in entries}

    def occupied(self) -> int:
        """The bytes on the disk of blobs and of what was begun, holes left out.

        While a sync is at work, a file that moves meanwhile may be missed.
        """
        files = [*self.store.glob("blobs/sha256/*"), *self.store.glob("ingest/*")]
        blocks = 0
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                blocks += file.stat().st_blocks
        return blocks * 512
