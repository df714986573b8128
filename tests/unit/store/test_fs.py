from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import StoreError
from pinner.store import fs
from pinner.store.fs import Folder, close_written

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("number", "words"),
    [
        pytest.param(errno.ENOSPC, "no space left on the disk (512 bytes were needed)", id="T04"),
        pytest.param(errno.EDQUOT, "the disk quota is used up (512 bytes", id="T05-EDQUOT"),
        pytest.param(errno.EIO, "the disk failed", id="T05-EIO"),
        pytest.param(errno.EFBIG, "larger than allowed (512 bytes", id="T06"),
        pytest.param(errno.EMFILE, "lower --jobs", id="T07"),
        pytest.param(errno.ENAMETOOLONG, "the path is too long", id="T08"),
        pytest.param(errno.EROFS, "the file system is read-only", id="T09"),
        pytest.param(errno.ENOLCK, "use a local disk", id="T21"),
        pytest.param(errno.EACCES, "run as the store's owner", id="no access"),
        pytest.param(errno.ECHILD, os.strerror(errno.ECHILD), id="any other"),
    ],
)
def test_an_error_of_the_system_names_path_cause_and_mend(number: int, words: str) -> None:
    cause = OSError(number, os.strerror(number))
    error = fs.store_error(cause, Path("/some/\x1bstore"), "cannot be written", needed=512)
    assert str(error).startswith("/some/\\x1bstore: cannot be written: ")
    assert words in str(error)


def make_symlink(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def make_folder_link(path: Path) -> None:
    path.symlink_to("/etc")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


NO_FILES = [
    pytest.param(make_symlink, id="T30-link"),
    pytest.param(Path.mkdir, id="T12-folder"),
    pytest.param(os.mkfifo, id="T36-FIFO"),
    pytest.param(make_socket, id="T12-socket"),
]


@pytest.mark.parametrize("make", NO_FILES)
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY])
def test_what_is_no_regular_file_is_refused_without_hanging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object, flags: int
) -> None:
    monkeypatch.chdir(tmp_path)
    assert callable(make)
    make(tmp_path / "it")
    folder = Folder.at(tmp_path)
    with pytest.raises(StoreError, match="it: ") as caught:
        folder.open_file("it", flags)
    assert caught.value.mend == ("remove it",)
    folder.close()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make_folder_link, id="T31-link to a folder"),
        pytest.param(make_symlink, id="link to a file"),
        pytest.param(Path.touch, id="file"),
    ],
)
def test_T31_a_folder_is_never_reached_by_a_link(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "blobs")
    folder = Folder.at(tmp_path)
    for create in (False, True):
        with pytest.raises(StoreError, match="not a folder, or a symbolic link"):
            folder.folder("blobs", create=create)
    folder.close()


def test_T34_a_folder_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StoreError, match="written by everybody") as caught:
        Folder.at(tmp_path)
    assert "chmod o-w" in str(caught.value)


def test_T34_a_sticky_bit_does_not_help(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(StoreError, match="written by everybody"):
        Folder.at(tmp_path)


def test_T34_another_users_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    if tmp_path.stat().st_uid == 0:
        Folder.at(tmp_path).close()  # the system's own is as good as ours
        os.chown(tmp_path, 4712, -1)
    with pytest.raises(StoreError, match="belongs to another user"):
        Folder.at(tmp_path)


def test_T37_a_folder_stays_itself_when_its_path_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    folder = Folder.at(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    (tmp_path / "here").mkdir()
    os.close(folder.open_file("file", os.O_WRONLY | os.O_CREAT))
    assert (tmp_path / "there" / "file").exists()
    assert not list((tmp_path / "here").iterdir())
    folder.close()


@pytest.mark.parametrize(
    ("umask", "folder_mode", "file_mode"),
    [(0o022, 0o755, 0o644), (0o077, 0o700, 0o600), (0o000, 0o755, 0o644), (0o002, 0o755, 0o644)],
)
def test_T24_modes_follow_the_umask_and_never_let_everybody_write(
    tmp_path: Path, umask: int, folder_mode: int, file_mode: int
) -> None:
    folder = Folder.at(tmp_path)
    before = os.umask(umask)
    try:
        folder.folder("made", create=True).close()
        os.close(folder.open_file("file", os.O_WRONLY | os.O_CREAT))
    finally:
        os.umask(before)
    folder.close()
    assert (tmp_path / "made").stat().st_mode & 0o7777 == folder_mode
    assert (tmp_path / "file").stat().st_mode & 0o7777 == file_mode


def test_T06_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: real(fd, data[:3], offset))
    folder = Folder.at(tmp_path)
    fd = folder.open_file("file", os.O_WRONLY | os.O_CREAT)
    fs.write_fully(fd, b"0123456789", 2, tmp_path / "file")
    os.close(fd)
    folder.close()
    assert (tmp_path / "file").read_bytes() == b"\0\x000123456789"


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10)
    folder = Folder.at(tmp_path)
    assert folder.read("file", 10) == b"x" * 10
    with pytest.raises(StoreError, match="is larger than 9 bytes"):
        folder.read("file", 9)
    folder.close()


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_folders_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(fd: int, path: Path) -> NoReturn:
        raise StoreError("no") from OSError(number, os.strerror(number))

    monkeypatch.setattr(fs, "sync_file", refuse)
    folder = Folder.at(tmp_path)
    folder.sync()
    folder.close()


def test_T05_a_folder_that_fails_to_sync_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, path: Path) -> NoReturn:
        raise StoreError("no") from OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fs, "sync_file", refuse)
    folder = Folder.at(tmp_path)
    with pytest.raises(StoreError):
        folder.sync()
    folder.close()


@pytest.mark.parametrize(
    ("call", "method", "words"),
    [
        pytest.param("mkdir", lambda folder: folder.folder("new", create=True), "made", id="T04"),
        pytest.param("stat", lambda folder: folder.stat("file"), "looked at", id="stat"),
        pytest.param("listdir", lambda folder: folder.names(), "listed", id="listdir"),
        pytest.param("read", lambda folder: folder.read("file", 9), "read", id="read"),
        pytest.param("unlink", lambda folder: folder.unlink("file"), "removed", id="unlink"),
        pytest.param(
            "rename", lambda folder: folder.rename("file", folder, "n"), "written", id="mv"
        ),
    ],
)
def test_T05_every_refusal_of_the_disk_says_what_could_not_be_done(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    method: Callable[[Folder], object],
    words: str,
) -> None:
    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "file").write_bytes(b"x")
    folder = Folder.at(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(StoreError, match=f"cannot be {words}: the disk failed"):
            method(folder)
    folder.close()


@pytest.mark.parametrize("number", [errno.EIO, errno.EINTR])
def test_T05_a_close_that_fails_after_a_read_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.close

    def fail(fd: int) -> NoReturn:
        real(fd)
        raise OSError(number, os.strerror(number))

    (tmp_path / "file").write_bytes(b"x")
    folder = Folder.at(tmp_path)
    monkeypatch.setattr(os, "close", fail)
    assert folder.read("file", 9) == b"x"
    folder.close()


def test_T05_a_close_that_fails_after_a_write_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that were not synced may be lost: network file systems say so at the end."""

    def fail(fd: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "close", fail)
    with pytest.raises(StoreError, match="file: was not written in full: the disk failed"):
        close_written(-1, tmp_path / "file")


def test_T05_a_file_that_cannot_be_looked_at_is_not_kept_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []

    def fail(fd: int) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "file").write_bytes(b"x")
    folder = Folder.at(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", fail)
        patch.setattr("pinner.store.fs.release", closed.append)
        with pytest.raises(StoreError, match="file: cannot be looked at: the disk failed"):
            folder.open_file("file", os.O_RDONLY)
    for fd in closed:
        os.close(fd)
    assert len(closed) == 1
    folder.close()


def test_a_folder_that_another_process_just_made_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.mkdir

    def late(name: str, mode: int, *, dir_fd: int) -> None:
        real(name, mode, dir_fd=dir_fd)
        raise FileExistsError

    monkeypatch.setattr(os, "mkdir", late)
    folder = Folder.at(tmp_path)
    with_file = folder.folder("new", create=True)
    os.close(with_file.open_file("file", os.O_WRONLY | os.O_CREAT))
    with_file.close()
    folder.close()
    assert (tmp_path / "new/file").exists()


def test_closing_again_closes_no_other_file(tmp_path: Path) -> None:
    folder = Folder.at(tmp_path)
    folder.close()
    with (tmp_path / "file").open("wb") as file:
        folder.close()
        file.write(b"x")
    assert (tmp_path / "file").read_bytes() == b"x"
