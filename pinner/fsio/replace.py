"""Files replaced whole: several at once from bytes, or one from a stream.

Each is written to a temporary in the same folder, synced, and renamed over the target.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, StoreError
from pinner.fsio.reading import read_limited, sync_directory
from pinner.fsio.temporary import Temporary, keep_attributes
from pinner.fsio.writeback import Writeback
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o666
_MOST_OPEN: Final = 64  # a process may have few descriptors, on macOS 256


class FileChanged(StoreError):  # noqa: N818 - nothing went wrong with the disk
    """A file is not as the writer expected it: someone else has changed it."""


def write_atomic(
    files: Mapping[Path, bytes],
    *,
    expected: Mapping[Path, bytes] | None = None,
    private: bool = False,
) -> None:
    """Replace each path by a file of exactly these bytes.

    Mode, owner and extended attributes of an existing file are kept, as far as the system lets; a
    hard link is broken: the other names keep the old bytes.

    All are written and synced before the first gets its name, so that a full disk leaves every
    file as it was; then they are renamed in the given order, and where one cannot be (it is
    immutable, or mounted), those before it get their old bytes back. A symbolic link is followed:
    the file that it names is replaced, the link stays.

    Args:
        files: what to write.
        expected: what a file has to have still, looked at before the first is renamed and again
            right before it is renamed itself; no entry, no condition.
        private: the files are for their owner alone (0600), whatever their mode was.

    Raises:
        FileChanged: a file is not as expected; all else holds as below.
        StoreError: the disk refused, a file is not as expected, or it is a device, FIFO or socket;
            it is named. It is as it was and no temporary is left, unless only the folder could not
            be synced, which the message then says. The mend lists the files that could not be put
            back, if any.
    """
    staged: dict[Path, _Staged] = {}
    conditions = expected or {}
    try:
        for path, data in files.items():
            with _refusals(path):
                target = path.resolve()
                if path not in conditions:
                    _require_replaceable(path, target)
                staged[path] = _Staged(target, data, private=private)
                if len(staged) > _MOST_OPEN:
                    staged[path].new.close()
        for path, one in staged.items():
            with _refusals(path):
                one.new.give_name()
        for path in files:
            _require_same(path, conditions)
        _rename(staged, conditions)
    finally:
        for one in staged.values():
            one.new.discard()
    for path, one in staged.items():
        _sync_name(path, one.target)


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the bytes of a long file go.

    Attributes:
        fd: takes them.
        wrote: is told how many more there are, now and then, so that they are synced meanwhile;
            waits where the disk lags behind, and raises StoreError where it fails.
    """

    fd: int
    wrote: Callable[[int], None]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Stream]:
    """A stream for what a file shall have, however much; it gets its name at the end.

    The bytes go to a temporary in the same folder, which is synced and renamed over the file when
    the block ends well, and removed when it does not. Mode and links are treated as by
    `write_atomic`. A device, FIFO or socket that has the name is written to as it is.

    Raises:
        StoreError: there can be no such file, or not here, or the disk failed.
    """
    with _refusals(path):
        target = path.resolve()
        found = _status(path)  # not of `target`, which does not exist for a pipe in /dev/fd
        if found is not None and stat.S_ISDIR(found.st_mode):
            raise StoreError(
                "is a folder", where=safe(str(path)), mend="name a file: it is made where missing"
            )
        if found is None or stat.S_ISREG(found.st_mode):
            new = Temporary(target, _PUBLIC)
        else:
            new = None
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    if new is None:
        try:
            yield Stream(fd, lambda _: None)
        finally:
            os.close(fd)
        return
    try:
        with _refusals(path):
            if found is not None:
                keep_attributes(new.fd, target, found)
        writeback = Writeback(new.fd)

        def wrote(count: int) -> None:
            with _refusals(path):
                writeback.wrote(count)

        try:
            yield Stream(new.fd, wrote)
            with _refusals(path):
                writeback.finish()
        finally:
            writeback.stop()
        with _refusals(path):
            new.replace()
    finally:
        new.discard()
    _sync_name(path, target)


class _Staged:
    """A file's new version on the disk, with its mode, beside the file.

    Methods raise OSError as the system does.
    """

    def __init__(self, target: Path, data: bytes, *, private: bool = False) -> None:
        self.target = target
        self._data = data
        self._private = private
        self.new = self._write()

    def replace(self) -> None:
        """Give it the file's name."""
        try:
            self.new.replace()
        except FileNotFoundError:  # it was closed, and another writer took it for abandoned
            self.new.discard()
            self.new = self._write()
            self.new.replace()

    def _write(self) -> Temporary:
        new = Temporary(self.target, _PRIVATE if self._private else _PUBLIC)
        try:
            before = _status(self.target)
            if before is not None:
                keep_attributes(new.fd, self.target, before)
            if self._private:
                os.fchmod(new.fd, _PRIVATE)
            with open(new.fd, "wb", closefd=False) as file:
                file.write(self._data)
            os.fsync(new.fd)
        except BaseException:
            new.discard()
            raise
        return new


def _rename(staged: Mapping[Path, _Staged], conditions: Mapping[Path, bytes]) -> None:
    before: dict[Path, bytes | None] = {}
    for path, one in staged.items():
        with _refusals(path):
            before[path] = _bytes_of(one.target)
    written: list[Path] = []
    try:
        for path, one in staged.items():
            _require_same(path, conditions)
            with _refusals(path):
                one.replace()
            written.append(path)
    except StoreError as error:
        left = [path for path in written if not _put_back(staged[path].target, before[path])]
        if left:
            error.mend += (f"written before it: {', '.join(safe(str(path)) for path in left)}",)
        raise


def _bytes_of(path: Path) -> bytes | None:
    """What is in a file that may have to be put back; None for no file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _put_back(path: Path, data: bytes | None) -> bool:
    """Give a file its old bytes again, or take it away; whether the disk let us."""
    try:
        if data is None:
            path.unlink()
        else:
            old = _Staged(path, data)
            try:
                old.replace()
            finally:
                old.new.discard()
    except OSError:
        return False
    return True


def _require_replaceable(path: Path, target: Path) -> None:
    """Refuse a device, FIFO or socket: root's rename would destroy it, and reading it could hang.

    For a folder the system has words of its own.
    """
    found = _status(target)
    if found is not None and not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise StoreError("is not a regular file", where=safe(str(path)), mend="name a file")


def _require_same(path: Path, conditions: Mapping[Path, bytes]) -> None:
    if path not in conditions:
        return
    try:
        same = read_limited(path, len(conditions[path])) == conditions[path]
    except (FileNotFoundError, InputError):
        same = False
    if not same:
        raise FileChanged(
            "was changed by someone else meanwhile, and is not overwritten",
            where=safe(str(path)),
            mend="run it again",
        )


@contextlib.contextmanager
def _refusals(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a loop, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else "its links form a loop"
        raise StoreError(
            f"cannot be written: {reason}", where=safe(str(path)), mend="it was not changed"
        ) from error


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _sync_name(path: Path, target: Path) -> None:
    try:
        sync_directory(target.parent)
    except OSError as error:
        raise StoreError(
            f"was written, but may be lost in a power cut: {error.strerror}",
            where=safe(str(path)),
        ) from error
