"""Files are read with a limit, and regular ones only."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import InputError
from pinner.fsio import read_limited

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def failing(code: int) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


def test_reads_up_to_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10)
    assert read_limited(file, 10) == b"x" * 10
    with pytest.raises(InputError, match="file: is larger than 9 bytes"):
        read_limited(file, 9)


def test_an_absent_file_is_the_caller_s_to_judge(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_limited(tmp_path / "absent", 10)


def test_follows_a_link_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_limited(tmp_path / "link", 10) == b"x"


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(InputError, match="fifo: is not a regular file"):
        read_limited(tmp_path / "fifo", 10)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a regular file"):
        read_limited(tmp_path, 10)


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="inner: cannot be read: Not a directory"):
        read_limited(tmp_path / "file" / "inner", 10)


def test_a_disk_that_fails_to_read_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    says_why = pytest.raises(InputError, match="file: cannot be read: Input/output error")
    with says_why, monkeypatch.context() as failing_disk:
        failing_disk.setattr(os, "fstat", failing(errno.EIO))
        read_limited(tmp_path / "file", 10)


def test_a_close_that_fails_after_a_read_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.close

    def fail(fd: int) -> NoReturn:
        real(fd)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    file = tmp_path / "file"
    file.write_bytes(b"abc")
    monkeypatch.setattr(os, "close", fail)
    assert read_limited(file, 3) == b"abc"


def test_what_cannot_be_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\\x00b: is not a path"):
        read_limited(tmp_path / "a\0b", 10)


def test_the_path_in_a_message_is_safe(tmp_path: Path) -> None:
    (tmp_path / "\x1b[31m").mkdir()
    with pytest.raises(InputError) as refused:
        read_limited(tmp_path / "\x1b[31m", 10)
    assert refused.value.where.endswith(r"\x1b[31m")
