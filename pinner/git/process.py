"""Runs git, so that a repository cannot have it run anything else.

A repository's own configuration names programs: hooks, fsmonitor, ssh, remote helpers, filters,
pagers. Only plumbing is run, which needs none of them; what plumbing could still start is switched
off by `-c`, which beats every file. In a partial clone git asks the remote for what it lacks:
`GIT_ALLOW_PROTOCOL` names no protocol, so that it fails instead.

Of the caller's `GIT_*` variables only those stay that tell who commits, which configuration files
are the user's, and where the search for a repository ends. `GIT_DIR`, `GIT_INDEX_FILE` and the
like go: the folder says which repository is meant, also where a hook of another one runs pinner.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from pinner.errors import InputError, StoreError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_KEPT: Final = re.compile(
    r"GIT_(?:(?:AUTHOR|COMMITTER)_(?:NAME|EMAIL)"
    r"|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|(?:KEY|VALUE)_\d+)"
    r"|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|EXEC_PATH)"
)
_SET: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",  # its messages are recognised
}
_OVERRIDES: Final = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    "core.sshCommand=false",
    "core.askPass=false",
    "core.editor=false",
    "protocol.allow=never",
    "credential.helper=",
    "i18n.commitEncoding=UTF-8",
)
_TIMEOUT: Final = 120.0
_LIMIT: Final = 64 * 1024 * 1024
_ERROR_LIMIT: Final = 64 * 1024
_READ: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How git ended.

    Attributes:
        status: 0 is good.
        output: its stdout.
        errors: its stderr, in English.
    """

    status: int
    output: bytes
    errors: str

    @property
    def reason(self) -> str:
        """The line of stderr that says why it failed, safe to print."""
        lines = self.errors.splitlines()
        fatal = [line for line in lines if line.startswith(("fatal: ", "error: "))]
        line = (fatal or lines or [f"status {self.status}"])[0]
        return safe(line.removeprefix("fatal: ").removeprefix("error: "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """Git in one folder.

    Attributes:
        folder: where it runs.
        environ: the caller's environment, which has the PATH and the user's home.
        timeout: seconds until it is killed.
        monotonic: seconds that never jump.
    """

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    timeout: float = _TIMEOUT
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        limit: int = _LIMIT,
        extra: Mapping[str, str] | None = None,
    ) -> Finished:
        """The end of `git arguments`, whatever its status.

        Args:
            arguments: no text from outside, or behind what makes git take it as it is.
            stdin: what it reads.
            limit: bytes of stdout that are taken.
            extra: variables for its environment.

        Raises:
            InputError: git is not installed, too slow, or prints more than `limit` bytes.
        """
        program = shutil.which("git", path=self.environ.get("PATH", os.defpath))
        if program is None:
            raise InputError("git is not installed", mend="install git 2.31 or newer")
        overrides = [word for setting in _OVERRIDES for word in ("-c", setting)]
        with tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - no shell
                    [program, "--no-pager", *overrides, *arguments],
                    cwd=self.folder,
                    env=_environment(self.environ) | dict(extra or {}),
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                )
            except OSError as error:
                raise InputError(
                    f"git cannot be started: {error.strerror}", where=safe(str(self.folder))
                ) from error
        with process:
            try:
                return self._finish(process, limit)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise

    def output(
        self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> bytes:
        """What `git arguments` prints, where it must succeed.

        Raises:
            InputError: as `run`.
            StoreError: it failed: the repository is damaged, read-only or full.
        """
        finished = self.run(*arguments, stdin=stdin, extra=extra)
        if finished.status != 0:
            raise self.failure(finished, arguments[0])
        return finished.output

    def line(
        self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> str:
        """What `git arguments` prints, as text without the last line feed; raises as `output`."""
        return os.fsdecode(self.output(*arguments, stdin=stdin, extra=extra).removesuffix(b"\n"))

    def failure(self, finished: Finished, command: str) -> StoreError:
        """The error of a command that failed for no reason that is known."""
        return StoreError(f"git {command} failed: {finished.reason}", where=safe(str(self.folder)))

    def _finish(self, process: subprocess.Popen[bytes], limit: int) -> Finished:
        end = self.monotonic() + self.timeout
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101
        output, errors = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, output)
            selector.register(process.stderr, selectors.EVENT_READ, errors)
            while selector.get_map():
                ready = selector.select(max(end - self.monotonic(), 0))
                if not ready:
                    raise self._too_slow()
                for key, _ in ready:
                    stream: IO[bytes] = key.fileobj  # type: ignore[assignment] # registered above
                    piece = os.read(stream.fileno(), _READ)
                    if not piece:
                        selector.unregister(stream)
                    key.data.extend(piece)
                if len(output) > limit:
                    raise InputError(
                        f"git printed more than {limit} bytes", where=safe(str(self.folder))
                    )
                del errors[_ERROR_LIMIT:]
        try:
            status = process.wait(max(end - self.monotonic(), 1))
        except subprocess.TimeoutExpired:
            raise self._too_slow() from None
        return Finished(
            status=status, output=bytes(output), errors=errors.decode("utf-8", "replace")
        )

    def _too_slow(self) -> InputError:
        return InputError(
            f"git did not end within {self.timeout:g} s", where=safe(str(self.folder))
        )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GIT_") or _KEPT.fullmatch(name)
    }
    kept.pop("LANGUAGE", None)
    return kept | _SET
