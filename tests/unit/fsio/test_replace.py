"""Files are replaced whole or not at all, from bytes and from streams."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import StoreError
from pinner.fsio import replacing, sync_directory, temporary, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failing(code: int) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.fixture(autouse=True, params=["unnamed", "named"])
def _kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporaries as most file systems of Linux have them, and as the others do."""
    if request.param == "named":
        monkeypatch.setattr(temporary, "_open_unnamed", lambda *_: None)


def test_writes_a_new_file_with_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic({tmp_path / "file": b"new"})
    finally:
        os.umask(before)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
    assert names(tmp_path) == ["file"]


def test_replaces_a_file_and_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old and longer")
    file.chmod(0o604)
    old = file.stat().st_ino
    write_atomic({file: b"new"})
    assert file.read_bytes() == b"new"
    assert file.stat().st_ino != old
    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("inner/file")
    write_atomic({tmp_path / "link": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "inner" / "file").read_bytes() == b"new"
    assert names(tmp_path / "inner") == ["file"]


@pytest.mark.parametrize("existed", [True, False])
def test_where_the_second_cannot_be_replaced_the_first_is_as_it_was(
    tmp_path: Path, *, existed: bool
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    if existed:
        first.write_bytes(b"old")
        first.chmod(0o604)
    second.write_bytes(b"old")
    honest = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target == second:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        return honest(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(StoreError, match="second: cannot be written: Device or resource busy"):
            write_atomic({first: b"new", second: b"new"})
    assert names(tmp_path) == (["first", "second"] if existed else ["second"])
    assert second.read_bytes() == b"old"
    if existed:
        assert first.read_bytes() == b"old"
        assert stat.S_IMODE(first.stat().st_mode) == 0o604


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_a_disk_that_fails_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, step, failing(errno.ENOSPC))
    with pytest.raises(StoreError, match="cannot be written: No space left on device") as failed:
        write_atomic({file: b"new"})
    assert failed.value.mend == ("it was not changed",)
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_an_interrupt_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> NoReturn:
        raise KeyboardInterrupt

    file = tmp_path / "file"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic({file: b"new"})
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: No such file or directory"):
        write_atomic({tmp_path / "absent" / "file": b"new"})


def test_links_in_a_loop(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(StoreError, match="cannot be written"):
        write_atomic({tmp_path / "a": b"new"})
    assert names(tmp_path) == ["a", "b"]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot be written: Is a directory"):
        write_atomic({tmp_path / "folder": b"new"})
    assert names(tmp_path) == ["folder"]


def test_a_fifo_is_neither_replaced_nor_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(StoreError, match="is not a regular file"):
        write_atomic({tmp_path / "fifo": b"new"})
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    assert names(tmp_path) == ["fifo"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mknod(tmp_path / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with pytest.raises(StoreError, match="is not a regular file"):
        write_atomic({tmp_path / "null": b"new"})
    assert stat.S_ISCHR((tmp_path / "null").stat().st_mode)


def fail_for_folders(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    fsync = os.fsync

    def fail(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", fail)


def test_a_folder_that_cannot_be_synced_on_its_file_system_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_for_folders(monkeypatch, errno.EINVAL)
    write_atomic({tmp_path / "file": b"new"})
    sync_directory(tmp_path)


def test_a_folder_that_fails_to_sync_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_for_folders(monkeypatch, errno.EIO)
    with pytest.raises(StoreError, match="was written, but may be lost in a power cut") as failed:
        write_atomic({tmp_path / "file": b"new"})
    assert failed.value.mend == ()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_L13_several_files_are_replaced_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"old")
    real = os.fsync
    calls: list[int] = []

    def second_fails(fd: int) -> None:
        calls.append(fd)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd)

    monkeypatch.setattr(os, "fsync", second_fails)
    with pytest.raises(StoreError, match="two: cannot be written: No space"):
        write_atomic({one: b"new", two: b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"one": b"old"}
    write_atomic({one: b"new", two: b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "one": b"new",
        "two": b"new",
    }


def test_F23_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"as read")
    second.write_bytes(b"changed")
    with pytest.raises(StoreError, match="2: was changed by someone else meanwhile"):
        write_atomic(
            {first: b"new", second: b"new"}, expected={first: b"as read", second: b"as read"}
        )
    assert (first.read_bytes(), second.read_bytes()) == (b"as read", b"changed")
    assert names(tmp_path) == ["1", "2"]


@pytest.mark.parametrize("become", ["longer", "gone", "fifo"])
def test_F23_whatever_it_became(tmp_path: Path, become: str) -> None:
    file = tmp_path / "file"
    if become == "longer":
        file.write_bytes(b"as read, and more")
    elif become == "fifo":
        os.mkfifo(file)
    with pytest.raises(StoreError, match="was changed by someone else meanwhile"):
        write_atomic({file: b"new"}, expected={file: b"as read"})


def three_files(folder: Path) -> dict[Path, bytes]:
    files = {folder / name: b"new" for name in "123"}
    for file in files:
        file.write_bytes(b"old")
    return files


def test_F25_where_one_of_several_fails_none_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = three_files(tmp_path)
    replace = type(tmp_path).replace

    def third_fails(self: Path, target: Path) -> Path:
        if target.name == "3":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", third_fails)
    with pytest.raises(StoreError, match="3: cannot be written") as caught:
        write_atomic(files)
    assert caught.value.mend == ("it was not changed",)
    assert [file.read_bytes() for file in files] == [b"old", b"old", b"old"]
    assert names(tmp_path) == ["1", "2", "3"]


def test_F25_what_cannot_be_put_back_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = three_files(tmp_path)
    replace = type(tmp_path).replace
    done: list[str] = []

    def fails_from_the_third_on(self: Path, target: Path) -> Path:
        if len(done) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        done.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", fails_from_the_third_on)
    with pytest.raises(StoreError, match="3: cannot be written") as caught:
        write_atomic(files)
    assert caught.value.mend[-1] == f"written before it: {tmp_path / '1'}, {tmp_path / '2'}"
    assert [file.read_bytes() for file in files] == [b"new", b"new", b"old"]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Linux has these calls")
def test_F16_extended_attributes_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    try:
        os.setxattr(file, "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has none")
    write_atomic({file: b"new"})
    assert os.getxattr(file, "user.note") == b"kept"


def test_F16_attributes_that_cannot_be_set_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "listxattr", lambda _: ["security.x"], raising=False)
    monkeypatch.setattr(os, "getxattr", lambda *_: b"value", raising=False)
    monkeypatch.setattr(os, "setxattr", failing(errno.ENOTSUP), raising=False)
    write_atomic({file: b"new"})
    assert file.read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_F16_the_owner_and_special_bits_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    os.chown(file, 1234, 5678)
    file.chmod(0o2750)
    write_atomic({file: b"new"})
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 5678, 0o2750)


@pytest.mark.parametrize("code", [errno.EPERM, errno.EINVAL], ids=["refused", "not-mapped"])
def test_F16_a_file_of_someone_else_is_still_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    monkeypatch.setattr(os, "fstat", _owned_by_another(os.fstat))
    monkeypatch.setattr(os, "fchown", failing(code))
    write_atomic({file: b"new"})
    assert file.read_bytes() == b"new"


def _owned_by_another(real: Callable[[int], os.stat_result]) -> Callable[[int], os.stat_result]:
    def fstat(fd: int) -> os.stat_result:
        fields = list(real(fd))
        fields[4] += 1
        return os.stat_result(fields)

    return fstat


def test_F16_a_hard_link_keeps_the_old_bytes(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_bytes(b"old")
    other.hardlink_to(file)
    write_atomic({file: b"new"})
    assert (file.read_bytes(), other.read_bytes()) == (b"new", b"old")


def test_a_stream_gets_its_name_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o640)
    with replacing(file) as stream:
        os.write(stream.fd, b"new")
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert names(tmp_path) == ["file"]


def test_a_new_stream_has_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "file") as stream:
            os.write(stream.fd, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [KeyboardInterrupt, StoreError("the disk is full")])
def test_a_stream_that_ends_badly_leaves_nothing(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    (tmp_path / "old").write_bytes(b"old")

    def write(path: Path) -> None:
        with replacing(path) as stream:
            os.write(stream.fd, b"half")
            raise error

    for name in ("old", "new"):
        with pytest.raises((KeyboardInterrupt, StoreError)):
            write(tmp_path / name)
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_a_stream_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    with replacing(tmp_path / "link") as stream:
        os.write(stream.fd, b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_stream_into_a_device_leaves_the_device(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(fifo) as stream:
            os.write(stream.fd, b"data")
        assert os.read(reader, 10) == b"data"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert names(tmp_path) == ["fifo"]


def test_a_stream_into_an_open_pipe_by_its_name() -> None:
    reader, writer = os.pipe()
    try:
        with replacing(Path(f"/dev/fd/{writer}")) as stream:
            os.write(stream.fd, b"data")
        assert os.read(reader, 10) == b"data"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize(
    ("path", "what"), [("none/file", "No such file"), (".", "is a folder")], ids=["none", "folder"]
)
def test_where_no_stream_can_go(tmp_path: Path, path: str, what: str) -> None:
    with pytest.raises(StoreError, match=what), replacing(tmp_path / path):
        pass
