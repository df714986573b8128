"""A dockerd of the tests' own, with the `docker` that belongs to it; needs root.

It keeps images in plain folders (vfs) and touches no firewall, bridge or service of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.programs import ProgramError, Running, clean_environment, find, require, serving
from support.programs import unavailable as unavailable_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Debian's client, of the daemon's own version, before another one that the machine may have.
_CLIENT: Final = "/usr/bin/docker"
_PATIENCE: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a `docker` command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerd:
    """A running dockerd.

    Attributes:
        host: its socket, as DOCKER_HOST has it.
        folder: home of the client: `.docker/config.json` in it holds its logins.
        pid: its process.
    """

    host: str
    folder: Path
    pid: int = 0

    def ask(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Said:
        """Run `docker` with these arguments, to whatever end."""
        done = subprocess.run(
            [client(), *arguments],
            env=clean_environment(self.folder, {"DOCKER_HOST": self.host, **(environment or {})}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return Said(code=done.returncode, out=done.stdout, err=done.stderr)

    def docker(self, *arguments: str) -> str:
        """What `docker` prints; a failure raises `ProgramError`."""
        said = self.ask(*arguments)
        if said.code:
            raise ProgramError(f"docker {' '.join(arguments)}: status {said.code}\n{said.err}")
        return said.out

    def load(self, archive: Path) -> str:
        """What `docker load` prints of an archive."""
        return self.docker("load", "--input", str(archive))

    def image_id(self, name: str) -> str:
        """The ID of a local image, `sha256:…`."""
        return self.docker("image", "inspect", "--format", "{{.Id}}", name).strip()

    def forget(self) -> None:
        """Remove every image."""
        if images := sorted(set(self.docker("images", "--all", "--quiet", "--no-trunc").split())):
            self.docker("rmi", "--force", *images)


def client() -> str:
    """The `docker` that belongs to Debian's dockerd."""
    return _CLIENT if os.access(_CLIENT, os.X_OK) else (find("docker") or "docker")


@contextlib.contextmanager
def dockerd(
    folder: Path, *, mirrors: Sequence[str] = (), insecure: Sequence[str] = ()
) -> Iterator[Dockerd]:
    """An empty dockerd that keeps everything in `folder`.

    Args:
        folder: made where it is missing.
        mirrors: URLs of mirrors of Docker Hub (`registry-mirrors`).
        insecure: `host:port` that may speak plain http; loopback may anyhow.
    """
    require("dockerd", "docker")
    if os.geteuid() != 0:
        unavailable_here("dockerd needs root")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dockerd-") as short:  # a socket's path is short
        config = folder / "daemon.json"
        config.write_text(
            json.dumps(
                {
                    "data-root": f"{folder}/data",
                    "exec-root": f"{short}/exec",
                    "pidfile": f"{short}/pid",
                    "hosts": [f"unix://{short}/socket"],
                    "iptables": False,
                    "ip-masq": False,
                    "bridge": "none",
                    "storage-driver": "vfs",
                    "registry-mirrors": list(mirrors),
                    "insecure-registries": list(insecure),
                }
            )
        )
        running = Dockerd(host=f"unix://{short}/socket", folder=folder)

        def ready(_: Running) -> bool:
            return Path(short, "socket").exists() and running.ask("version").code == 0

        argv = ("dockerd", "--config-file", str(config))
        with serving(*argv, folder=folder, ready=ready) as server:
            yield replace(running, pid=server.process.pid)
