"""Where a page's examples run: a user's home, a project and a shell, with nothing of the machine's.

The processor is an amd64 one, whatever this machine's is, since outputs name the platform.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from support.programs import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HOME_SHOWN: Final = "/home/you"
_PATIENCE: Final = 600
_SEPARATOR: Final = "\x1e"
_BETWEEN: Final = "__code=$?; printf '\\036'; (exit $__code)\n"
_PROGRAMS: Final = {
    "python": '"$@"',
    "pinner": '-c \'import platform; platform.machine = lambda: "x86_64"; '
    'from pinner.__main__ import main; main()\' "$@"',
}


class ExampleError(AssertionError):
    """A command did not run to its end, or a program ended with an error."""


class Room:
    """A user and a project; empty at first.

    Attributes:
        project: the folder that commands run in.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._home = folder / "home"
        self.project = self._home / "project"
        programs = folder / "bin"
        for new in (self.project, programs):
            new.mkdir(parents=True)
        for name, arguments in _PROGRAMS.items():
            file = programs / name
            file.write_text(f"#!/bin/sh\nexec '{sys.executable}' -P {arguments}\n")
            file.chmod(0o755)
        self.environment = clean_environment(
            self._home,
            {
                **environment,
                "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
                "PINNER_STORE": str(self._home / ".cache/pinner/store"),
                "COLUMNS": "80",
                "LINES": "24",
                "LANG": "C.UTF-8",
            },
        )

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self, commands: Sequence[str]) -> list[list[str]]:
        """The lines that each command writes, one after the other in one shell."""
        script = _BETWEEN.join(f"{command}\n" for command in commands)
        outputs = self._start(["sh", "-c", script])[1].split(_SEPARATOR)
        if len(outputs) != len(commands):
            raise ExampleError(f"the shell left early:\n{script}\n{outputs}")
        return [output.splitlines() for output in outputs]

    def run_python(self, text: str) -> str:
        """What a Python program writes.

        Raises:
            ExampleError: it ended with an error.
        """
        code, output = self._start(["python", "-c", text])
        if code != 0:
            raise ExampleError(f"exit {code}:\n{output}")
        return output

    def shown(self, text: str) -> str:
        """A text as a page has it, with nothing of this machine."""
        return text.replace(str(self._home), _HOME_SHOWN)

    def _start(self, command: Sequence[str]) -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.project,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            check=False,
            text=True,
            encoding="utf-8",
        )
        return done.returncode, self.shown(done.stdout)
