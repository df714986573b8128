"""A containerd of the tests' own, with `ctr` to talk to it; needs root."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.programs import Running, clean_environment, find, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Containerd:
    """A running containerd.

    Attributes:
        arguments: `ctr` and the options that reach this one.
        pid: its process.
    """

    arguments: tuple[str, ...]
    pid: int
    folder: Path

    def ctr(self, *arguments: str) -> str:
        """What `ctr` prints; a failure raises `ProgramError`."""
        return run(*self.arguments, *arguments, home=self.folder)


@contextlib.contextmanager
def containerd(folder: Path) -> Iterator[Containerd]:
    """An empty containerd that keeps everything in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="containerd-") as short:  # a socket's path is short
        config = folder / "config.toml"
        config.write_text(
            f'version = 2\nroot = "{folder}/root"\nstate = "{short}"\n'
            'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
            f'[grpc]\naddress = "{short}/socket"\n'
        )
        ctr = ("ctr", "--address", f"{short}/socket", "--namespace", "tests")

        def ready(_: Running) -> bool:
            asked = subprocess.run(
                [find("ctr") or "ctr", *ctr[1:], "version"],
                env=clean_environment(folder),
                capture_output=True,
                check=False,
            )
            return asked.returncode == 0

        argv = ("containerd", "--config", str(config))
        with serving(*argv, folder=folder, ready=ready) as server:
            yield Containerd(arguments=ctr, pid=server.process.pid, folder=folder)
