"""A stream is on the disk when its file has its name, and is not far ahead of the disk before."""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

import pytest

from pinner.errors import StoreError
from pinner.fsio import replacing, writeback
from pinner.fsio.writeback import Writeback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 60.0


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "stream", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writeback, "_EVERY", 10)
    monkeypatch.setattr(writeback, "_AHEAD", 30)


def test_T03_every_byte_is_synced_before_the_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, []
    file = tmp_path / "file"

    def sync(fd: int) -> None:
        synced.append((os.fstat(fd).st_ino, os.fstat(fd).st_size, file.exists()))
        real(fd)

    monkeypatch.setattr(os, "fsync", sync)
    with replacing(file) as stream:
        for _ in range(7):
            os.write(stream.fd, b"four")
            stream.wrote(4)
    assert (file.stat().st_ino, 28, False) in synced
    assert synced[-1][0] == tmp_path.stat().st_ino
    assert synced[-1][2]


def test_the_writer_waits_for_a_disk_that_lags(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written = on_disk = 0

    def sync(_: int) -> None:
        nonlocal on_disk
        on_disk = written

    monkeypatch.setattr(os, "fsync", sync)
    late = Writeback(fd)
    ahead = 0
    for _ in range(20_000):
        written += 10
        late.wrote(10)
        ahead = max(ahead, written - on_disk)
    late.finish()
    late.stop()
    assert ahead <= 30
    assert on_disk == written


def test_a_disk_that_fails_meanwhile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def fail(_: int) -> None:
        failed.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def write() -> None:
        with replacing(tmp_path / "file") as stream:
            stream.wrote(10)
            assert failed.wait(PATIENCE)
            monkeypatch.undo()  # the kernel tells a failure of writeback once
            stream.wrote(100)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="file: cannot be written: Input/output error"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_synced_after_the_writer_has_gone(
    fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, syncing = threading.Event(), threading.Event()
    calls: list[int] = []

    def slow(which: int) -> None:
        calls.append(which)
        syncing.set()
        assert let_go.wait(PATIENCE)

    monkeypatch.setattr(os, "fsync", slow)
    late = Writeback(fd)
    late.wrote(10)
    assert syncing.wait(PATIENCE)
    late.wrote(10)
    late.stop()
    let_go.set()
    for thread in threading.enumerate():
        if thread.name == "pinner-writeback":
            thread.join(PATIENCE)
    assert len(calls) == 1
    assert calls != [fd]  # the writer may close its own meanwhile
