"""The stream: what a reader gets of it, and how it ends where something is wrong."""

from __future__ import annotations

import errno
import fcntl
import os
import tarfile
import threading
from typing import TYPE_CHECKING, Self

import pytest

from pinner.archive import Image, plan_archive, write_archive
from pinner.errors import IntegrityError, StoreError
from pinner.oci.digest import Digest
from support.archiving import built, put
from support.storing import noise, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pinner.archive import ArchivePlan
    from pinner.store.layout import Store

LARGE = noise(1, 3_000_001)
APP = built("linux/amd64", LARGE, b"x" * 512, b"y" * 513, b"z", b"")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as store:
        put(store, APP)
        yield store


@pytest.fixture
def plan() -> ArchivePlan:
    name = "docker.io/library/app:1"
    return plan_archive([Image(asked="app", name=name, members=(APP.member,))])


def to_file(store: Store, plan: ArchivePlan, path: Path, *, flags: int = 0) -> bytes:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | flags)
    try:
        write_archive(plan, store, fd, "out.tar", jobs=2)
    finally:
        os.close(fd)
    return path.read_bytes()


class Pipe:
    """A pipe with a reader in a thread, which takes what comes until the end."""

    def __init__(self, *, blocking: bool = True) -> None:
        self._out, self.fd = os.pipe()
        if not blocking:
            os.set_blocking(self.fd, False)
        self.data = b""
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        with os.fdopen(self._out, "rb") as file:
            self.data = file.read()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        self._thread.join()


def damage(store: Store, data: bytes, change: Callable[[bytes], bytes]) -> Path:
    path = store.path(Digest.of(data))
    path.chmod(0o644)
    path.write_bytes(change(data))
    return path


def turned(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_file_has_everything(store: Store, plan: ArchivePlan, tmp_path: Path) -> None:
    data = to_file(store, plan, tmp_path / "out.tar")
    assert len(data) == plan.size
    with tarfile.open(tmp_path / "out.tar") as tar:
        read = {member.name: tar.extractfile(member) for member in tar}
        assert list(read) == [entry.name for entry in plan.entries]
        for blob in APP.blobs:
            file = read[f"blobs/sha256/{Digest.of(blob).hex}"]
            assert file is not None
            assert file.read() == blob


@pytest.mark.parametrize("kind", [{"blocking": True}, {"blocking": False}], ids=str)
def test_a_pipe_gets_the_same(
    store: Store, plan: ArchivePlan, tmp_path: Path, kind: dict[str, bool]
) -> None:
    with Pipe(**kind) as pipe:
        write_archive(plan, store, pipe.fd, "standard output", jobs=1)
    assert pipe.data == to_file(store, plan, tmp_path / "out.tar")


def test_a_file_that_is_appended_to_gets_the_same(
    store: Store, plan: ArchivePlan, tmp_path: Path
) -> None:
    (tmp_path / "appended").write_bytes(b"before")
    data = to_file(store, plan, tmp_path / "appended", flags=os.O_APPEND)
    assert data == b"before" + to_file(store, plan, tmp_path / "out.tar")


def no_sendfile(*_: object) -> int:
    raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))


@pytest.mark.parametrize("kind", ["refused", "missing"])
def test_where_sendfile_is_not_for_pipes_they_get_the_same(
    store: Store,
    plan: ArchivePlan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """As on macOS, and as on other systems."""
    if kind == "refused":
        monkeypatch.setattr("os.sendfile", no_sendfile)
    else:
        monkeypatch.delattr("os.sendfile")
    for blocking in (True, False):
        with Pipe(blocking=blocking) as pipe:
            write_archive(plan, store, pipe.fd, "standard output", jobs=2)
        assert pipe.data == to_file(store, plan, tmp_path / "out.tar")


@pytest.mark.parametrize("data", [LARGE, b"x" * 512, b"y" * 513, b"z"], ids=len)
def test_a_corrupt_blob_ends_the_stream_within_itself(
    store: Store, plan: ArchivePlan, data: bytes
) -> None:
    path = damage(store, data, turned)
    with Pipe() as pipe, pytest.raises(IntegrityError, match="is corrupt") as caught:
        write_archive(plan, store, pipe.fd, "standard output", jobs=2)
    assert caught.value.where == str(path)
    assert cut_member(pipe.data) == f"blobs/sha256/{path.name}"


def cut_member(data: bytes) -> str:
    """The name of the file that a tar is cut in; empty where it ends between two."""
    offset = 0
    while offset < len(data):
        header = tarfile.TarInfo.frombuf(data[offset : offset + 512], "utf-8", "strict")
        offset += 512 + header.size
        if offset > len(data):
            return header.name
        offset += -header.size % 512
    return ""


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"."], ids=["shorter", "longer"]
)
def test_a_blob_of_another_size_is_corrupt(
    store: Store, plan: ArchivePlan, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    damage(store, LARGE, change)
    with pytest.raises(IntegrityError, match="is corrupt"):
        to_file(store, plan, tmp_path / "out.tar")


def test_a_blob_that_has_gone(store: Store, plan: ArchivePlan, tmp_path: Path) -> None:
    store.path(Digest.of(LARGE)).unlink()
    with pytest.raises(StoreError, match="has gone from the store meanwhile"):
        to_file(store, plan, tmp_path / "out.tar")


def test_a_disk_that_fails_to_read(
    store: Store, plan: ArchivePlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.pread", fail)
    with Pipe() as pipe, pytest.raises(StoreError, match="cannot be read: the disk failed"):
        write_archive(plan, store, pipe.fd, "standard output", jobs=2)


def test_a_reader_that_leaves(store: Store, plan: ArchivePlan) -> None:
    out, fd = os.pipe()
    os.close(out)
    try:
        with pytest.raises(StoreError, match="left before its end"):
            write_archive(plan, store, fd, "standard output", jobs=2)
    finally:
        os.close(fd)


def test_a_full_disk(store: Store, plan: ArchivePlan) -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(StoreError, match="No space left") as caught:
            write_archive(plan, store, fd, "out.tar", jobs=2)
    finally:
        os.close(fd)
    assert caught.value.mend == ("free some space, or write to another disk",)


def test_nothing_stays_open_or_at_work_after_a_failure(
    store: Store, plan: ArchivePlan, tmp_path: Path
) -> None:
    damage(store, LARGE, turned)
    before = open_files()
    with pytest.raises(IntegrityError):
        to_file(store, plan, tmp_path / "out.tar")
    assert open_files() == before
    assert not [thread for thread in threading.enumerate() if "pinner-hash" in thread.name]


def open_files() -> set[int]:
    """The descriptors of this process that are open."""
    found = set()
    for fd in range(256):
        try:
            fcntl.fcntl(fd, fcntl.F_GETFD)
        except OSError:
            continue
        found.add(fd)
    return found
