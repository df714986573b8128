"""`index.json` on the disk, and the many processes that write to it."""

from __future__ import annotations

import errno
import json
import os
import threading
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import StoreError
from pinner.store.names import REF_NAME
from support import storing
from support.storing import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.store.layout import Store


def names_in(root: Path) -> list[str]:
    with open_store(root) as store:
        return [image.name for image in store.images()]


def test_names_are_kept(store: Store) -> None:
    storing.name(store, "docker.io/library/a:1", b"a")
    storing.name(store, "docker.io/library/b:1", b"b")
    storing.name(store, "docker.io/library/a:1", b"c")
    assert {image.name: image.descriptor.digest for image in store.images()} == {
        "docker.io/library/a:1": storing.describe(b"c").digest,
        "docker.io/library/b:1": storing.describe(b"b").digest,
    }


def test_naming_what_is_named_writes_nothing(store: Store) -> None:
    storing.name(store, "docker.io/library/a:1", b"a")
    before = (store.root / "index.json").stat()
    (store.root / ".pinner" / "lock").unlink()
    storing.name(store, "docker.io/library/a:1", b"a")
    assert (store.root / "index.json").stat() == before
    assert not (store.root / ".pinner" / "lock").exists()


def test_T15_a_missing_index_has_no_names_and_is_made_again(store: Store) -> None:
    (store.root / "index.json").unlink()
    assert store.images() == ()
    storing.name(store, "docker.io/library/a:1", b"a")
    assert names_in(store.root) == ["docker.io/library/a:1"]


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 50, b'{"schemaVersion":2}'])
def test_T15_a_damaged_index_is_an_error_and_is_never_overwritten(
    store: Store, content: bytes
) -> None:
    path = store.root / "index.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged") as caught:
        store.images()
    assert str(path) in str(caught.value)
    assert "move it away" in str(caught.value)
    with pytest.raises(StoreError, match="is damaged"):
        storing.name(store, "docker.io/library/a:1", b"a")
    assert path.read_bytes() == content


def test_T36_an_index_that_is_a_FIFO_does_not_hang(store: Store) -> None:
    (store.root / "index.json").unlink()
    os.mkfifo(store.root / "index.json")
    with pytest.raises(StoreError, match="is not a regular file"):
        store.images()


@pytest.mark.parametrize("call", ["pwrite", "fsync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_T04_a_disk_that_refuses_leaves_the_old_index(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    storing.name(store, "docker.io/library/a:1", b"a")
    before = (store.root / "index.json").read_bytes()

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, refuse)
        with pytest.raises(StoreError, match=r"index\.json"):
            storing.name(store, "docker.io/library/b:1", b"b")
    assert (store.root / "index.json").read_bytes() == before
    storing.name(store, "docker.io/library/b:1", b"b")
    assert names_in(store.root) == ["docker.io/library/a:1", "docker.io/library/b:1"]


def test_what_another_tool_wrote_between_our_reads_survives(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is read again under the lock, not written from what was seen before it."""
    foreign = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": str(storing.describe(b"x").digest),
        "size": 1,
        "annotations": {REF_NAME: "skopeo"},
    }
    real = store.index
    seen = 0

    def index() -> dict[str, object]:
        nonlocal seen
        seen += 1
        if seen == 2:
            document = real()
            document["manifests"].append(foreign)
            (store.root / "index.json").write_text(json.dumps(document), encoding="ascii")
        return real()

    monkeypatch.setattr(store, "index", index)
    storing.name(store, "docker.io/library/a:1", b"a")
    assert names_in(store.root) == ["skopeo", "docker.io/library/a:1"]


def test_T18_sixteen_processes_keep_sixteen_of_sixteen_names(root: Path) -> None:
    processes = [storing.start("name", root, number) for number in range(16)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 16
    assert sorted(names_in(root)) == sorted(
        f"docker.io/library/process:{number}" for number in range(16)
    )
    storing.check_tree(root)


def test_T17_sixteen_processes_receive_a_shared_blob_once(root: Path) -> None:
    processes = [storing.start("share", root, number) for number in range(16)]
    receivers = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 16
    assert len("".join(receivers).splitlines()) == 1
    storing.check_tree(root)
    assert not list((root / "ingest").iterdir())


def test_T18_threads_keep_every_name(store: Store) -> None:
    threads = [
        threading.Thread(target=storing.name, args=(store, f"docker.io/library/t:{number}", b"t"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.images()) == 8


def test_T20_readers_see_the_old_or_the_new_index(store: Store) -> None:
    done = threading.Event()
    seen: list[int] = []

    def read() -> None:
        with open_store(store.root) as reader:
            while not done.is_set():
                seen.append(len(reader.images()))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        storing.name(store, f"docker.io/library/image:{number}", b"x")
    done.set()
    reader.join()
    assert seen == sorted(seen)
