"""Reads files of a project: regular ones, within its folder, of at most 4 MiB.

A link is followed where it ends within the project. The folders above a file may be links too (git
lists what its index has, whatever the work tree has become), so their real paths are looked at.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from pinner.errors import InputError
from pinner.fsio import release
from pinner.rewrite.kinds import HEAD

if TYPE_CHECKING:
    from collections.abc import Callable

_Kind = TypeVar("_Kind")

LIMIT: Final = 4 * 1024 * 1024
_GONE: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Generic[_Kind]):
    """A file that was read.

    Attributes:
        path: its own, links followed.
        kind: what it was judged to be by its head.
    """

    path: str
    kind: _Kind
    data: bytes


@dataclass(slots=True)
class TreeReader:
    """Reads files below one folder.

    Attributes:
        root: the folder, links followed.
    """

    root: str
    _real: dict[str, str] = field(default_factory=dict)

    def read(
        self, path: str, shown: str, judge: Callable[[bytes], _Kind | None]
    ) -> Opened[_Kind] | None:
        """The file; None where it is gone or its first `HEAD` bytes are not of any kind.

        Args:
            path: absolute.
            shown: as messages name it.
            judge: says of what kind a file is that begins so.

        Raises:
            InputError: it is outside of the folder, no regular file, unreadable or, being of a
                kind, too large.
        """
        real = self._inside(path, shown)
        try:
            fd = os.open(real, _FLAGS)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return self._linked(path, shown, judge)
            if error.errno in _GONE:
                return None
            raise InputError(f"cannot be read: {error.strerror}", where=shown) from error
        try:
            data = _head(fd, shown)
            kind = judge(data)
            if kind is None:
                return None
            return Opened(path=real, kind=kind, data=_all(fd, data, shown))
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=shown) from error
        finally:
            release(fd)

    def _linked(
        self, path: str, shown: str, judge: Callable[[bytes], _Kind | None]
    ) -> Opened[_Kind] | None:
        try:
            target = str(Path(path).resolve(strict=True))
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno in _GONE:
                return None
            raise InputError("its links form a loop", where=shown) from error
        self._require(target, shown)
        return self.read(target, shown, judge)

    def _inside(self, path: str, shown: str) -> str:
        """The path with the links of its folders followed."""
        folder, _, name = path.rpartition("/")
        real = self._real.get(folder) or self._followed(folder)
        self._require(real, shown)
        return f"{real.rstrip('/')}/{name}"

    def _followed(self, folder: str) -> str:
        """The real path of a folder: each folder of a tree is looked at once."""
        steps: list[str] = []
        here = folder
        while here not in self._real:
            if here == self.root or not here or here.endswith(("/.", "/..")):
                self._real[here] = os.path.realpath(here or "/")
                break
            steps.append(here)
            here = here.rpartition("/")[0]
        real = self._real[here]
        for step in reversed(steps):
            candidate = f"{real.rstrip('/')}/{step.rpartition('/')[2]}"
            link = stat.S_ISLNK(_mode(candidate))
            real = self._real[step] = os.path.realpath(candidate) if link else candidate
        return real

    def _require(self, real: str, shown: str) -> None:
        if real != self.root and not real.startswith(f"{self.root.rstrip('/')}/"):
            raise InputError(
                "is a link out of the project, which is not followed",
                where=shown,
                mend="name the file that it points to in its own project",
            )


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0  # who opens a file below it will say why


def _head(fd: int, shown: str) -> bytes:
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise InputError("is not a regular file", where=shown)
    return os.read(fd, HEAD)


def _all(fd: int, data: bytes, shown: str) -> bytes:
    pieces = [data]
    while len(data) >= HEAD and (data := os.read(fd, LIMIT + 1)):
        pieces.append(data)
        if sum(map(len, pieces)) > LIMIT:
            raise InputError(f"is larger than {LIMIT} bytes", where=shown)
    return b"".join(pieces)
