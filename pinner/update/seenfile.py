"""The file of the observation log: read at the start of a run, merged with what it saw at the end.

What a file holds is never lost to another run: saving reads it again, under a lock that processes
share, and replaces it whole. A log only helps: unless the user named its file, one that cannot be
used is a warning, and updates wait a little longer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, StoreError
from pinner.fsio import read_limited, release, write_atomic
from pinner.terminal import safe
from pinner.update import seentext
from pinner.update.seenlog import SeenLog
from pinner.update.seentext import MalformedLog, NewerLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SKEW: Final = 86_400


class SeenFile:
    """Where a log is kept.

    Args:
        path: the file; its folder is made where it is missing.
        named: whether the user named it; then nothing that is wrong with it is overlooked.
        warn: takes a line for the user.
    """

    def __init__(self, path: Path, *, named: bool, warn: Callable[[str], None]) -> None:
        self._path = path
        self._named = named
        self._warn = warn

    def read(self, now: float) -> SeenLog:
        """The log; empty where there is no file, or none that can be used.

        Args:
            now: the time; a log that is ahead of it is worth a warning.

        Raises:
            InputError: the file that the user named cannot be used.
        """
        try:
            log = self._load()
        except InputError as error:
            if self._named:
                raise
            self._warn(f"{error.where}: {error.what}; updates do without it")
            return SeenLog()
        if log.latest > now + _SKEW:
            self._warn(
                f"{self._shown}: was written at a later time than this machine's clock shows; "
                "if the clock is right, remove the file"
            )
        return log

    def save(self, log: SeenLog, now: float) -> None:
        """Let the file hold what it holds and what `log` knows, within bounds.

        A file that cannot be used is kept beside it, unless it is a later pinner's, which stays.

        Raises:
            InputError: the file that the user named cannot be written.
        """
        if not log.tags:
            return
        try:
            with self._locked():
                known = self._known().merged(log).pruned(int(now))
                write_atomic({self._path: seentext.dumps(known)})
        except (OSError, InputError, StoreError) as error:
            what = error.strerror if isinstance(error, OSError) else error.what
            problem = InputError(f"cannot be written: {what}", where=self._shown)
            if self._named:
                raise problem from error
            self._warn(f"{problem.where}: {problem.what}; what was seen is not remembered")

    def _load(self) -> SeenLog:
        try:
            return seentext.loads(read_limited(self._path, seentext.LIMIT))
        except FileNotFoundError:
            return SeenLog()
        except (MalformedLog, NewerLog) as error:
            error.where = self._shown
            raise

    def _known(self) -> SeenLog:
        """What the file holds now; one that cannot be used has got out of the way."""
        try:
            return self._load()
        except NewerLog:
            raise
        except InputError as error:
            if self._named:
                raise
            aside = self._path.with_name(f"{self._path.name}.bad")
            self._path.replace(aside)
            self._warn(f"{error.where}: is kept as {safe(aside.name)}, and begun anew")
            return SeenLog()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock file beside the log; it is never removed."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        name = self._path.with_name(f".{self._path.name}.lock")
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            release(fd)

    @property
    def _shown(self) -> str:
        return safe(str(self._path))
