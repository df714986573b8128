"""Where the demo's commands run: real processes, in an environment with nothing of the user's."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pinner.demo.publications import Publication

_KEPT: Final = ("PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


class ProcessStage:
    """A project, a home and a store below `folder`, beside the registry.

    Attributes:
        folder: the project's folder, empty at first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        publish: Callable[[Sequence[Publication]], None],
        environ: Mapping[str, str],
    ) -> None:
        self.folder = folder / "project"
        self._publish = publish
        home = folder / "home"
        for new in (self.folder, home):
            new.mkdir()
        self._environment = {
            **{name: environ[name] for name in _KEPT if name in environ},
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PINNER_STORE": str(folder / "store"),
            "PYTHONUNBUFFERED": "1",  # output as it comes, in the order in which it is written
        }

    def run(self, arguments: Sequence[str], write: Callable[[str], None]) -> int:
        """Run pinner in the project, stdout and stderr as one text; the exit code."""
        # -P: what lies in the project's folder is never imported.
        command = [sys.executable, "-P", "-m", "pinner", *arguments]
        with subprocess.Popen(  # noqa: S603 - this very program, with the story's arguments
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            if process.stdout is not None:
                for line in process.stdout:
                    write(line)
        return process.returncode

    def publish(self, publication: Publication) -> None:
        """Let the registry serve this image; its tag moves if it is there already."""
        self._publish([publication])
