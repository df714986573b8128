"""What `Store` says of blobs that are there, and of what only looks like one."""

from __future__ import annotations

import errno
import os
import resource
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import IntegrityError, StoreError
from pinner.oci.digest import Digest
from pinner.store import fs
from pinner.store.verify import verify
from support import storing
from support.dying import succeeds
from support.storing import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinner.store.ingest import Ingest
    from pinner.store.layout import Store

DATA = b"one small blob"
DIGEST = Digest.of(DATA)


@pytest.fixture
def blob(store: Store) -> Path:
    """The path of a stored blob that holds DATA."""
    store.put(DIGEST, DATA)
    return store.path(DIGEST)


def spoil(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def test_nothing_is_there_at_first(store: Store) -> None:
    assert not store.has(DIGEST)
    assert store.size(DIGEST) is None
    with pytest.raises(StoreError, match=f"the store has no blob {DIGEST}"):
        store.read(DIGEST, 100)


def test_a_blob_is_a_read_only_file_at_the_place_of_its_digest(store: Store, blob: Path) -> None:
    assert blob == store.root / "blobs" / "sha256" / DIGEST.hex
    assert blob.read_bytes() == DATA
    assert blob.stat().st_mode & 0o777 == 0o444
    assert store.size(DIGEST) == len(DATA)
    assert store.has(DIGEST)
    assert store.has(DIGEST, len(DATA))
    assert store.read(DIGEST, len(DATA)) == DATA
    assert not list((store.root / "ingest").iterdir())


def test_T24_a_blob_is_no_more_readable_than_the_umask_says(store: Store) -> None:
    before = os.umask(0o077)
    try:
        store.put(DIGEST, DATA)
    finally:
        os.umask(before)
    assert store.path(DIGEST).stat().st_mode & 0o777 == 0o400


def test_a_sha512_blob_has_its_own_folder(store: Store) -> None:
    hasher = Digest("sha512", "0" * 128).hasher()
    hasher.update(DATA)
    digest = Digest("sha512", hasher.hexdigest())
    store.put(digest, DATA)
    assert store.path(digest) == store.root / "blobs" / "sha512" / digest.hex
    assert store.read(digest, 100) == DATA
    assert not store.has(DIGEST)


def test_putting_again_changes_nothing(store: Store, blob: Path) -> None:
    before = blob.stat()
    store.put(DIGEST, DATA)
    assert blob.stat() == before


def test_M01_putting_other_bytes_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError, match="other bytes than its digest names"):
        store.put(DIGEST, DATA + b"!")
    assert not list((store.root / "blobs").rglob("*"))


def test_T11_a_blob_of_another_size_is_not_there(store: Store, blob: Path) -> None:
    for length in range(len(DATA)):
        spoil(blob, DATA[:length])
        assert not store.has(DIGEST, len(DATA))
    store.put(DIGEST, DATA)
    assert store.read(DIGEST, 100) == DATA


def test_T10_no_flipped_bit_is_read(store: Store, blob: Path) -> None:
    for index in range(len(DATA)):
        for bit in range(8):
            data = bytearray(DATA)
            data[index] ^= 1 << bit
            spoil(blob, bytes(data))
            with pytest.raises(IntegrityError, match="corrupt in the store"):
                store.read(DIGEST, 100)


@pytest.mark.parametrize("length", range(len(DATA)))
def test_T11_no_truncated_blob_is_read(store: Store, blob: Path, length: int) -> None:
    spoil(blob, DATA[:length])
    with pytest.raises(IntegrityError, match="run `pinner verify`"):
        store.read(DIGEST, 100)


def test_T25_a_blob_edited_through_a_hard_link_is_noticed(
    store: Store, blob: Path, tmp_path: Path
) -> None:
    os.link(blob, tmp_path / "link")
    (tmp_path / "link").chmod(0o644)
    (tmp_path / "link").write_bytes(DATA.upper())
    with pytest.raises(IntegrityError):
        store.read(DIGEST, 100)


def test_T35_a_blob_of_another_user_is_as_good_as_missing(
    store: Store, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner can change it, whatever it holds now; ours takes its place."""
    monkeypatch.setattr(fs, "is_ours", lambda found: not stat.S_ISREG(found.st_mode))
    theirs = blob.stat().st_ino
    assert not store.has(DIGEST, len(DATA))
    assert store.size(DIGEST) is None
    (finding,) = verify(store, jobs=1).findings
    assert finding.what == f"blob {DIGEST} belongs to another user, who can change it"
    store.put(DIGEST, DATA)
    assert blob.stat().st_ino != theirs


def test_a_blob_beyond_the_limit_is_not_read(store: Store, blob: Path) -> None:
    with pytest.raises(StoreError, match=f"larger than {len(DATA) - 1} bytes"):
        store.read(DIGEST, len(DATA) - 1)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: path.symlink_to("/etc/passwd"), id="T30-link"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="T30-dangling link"),
        pytest.param(Path.mkdir, id="T12-folder"),
        pytest.param(os.mkfifo, id="T12-FIFO"),
    ],
)
@pytest.mark.parametrize("ask", ["has", "size", "read", "put", "begin"])
def test_what_is_no_regular_file_is_an_error_and_is_not_followed(
    store: Store, blob: Path, make: object, ask: str
) -> None:
    blob.unlink()
    assert callable(make)
    make(blob)
    questions: dict[str, Callable[[], object]] = {
        "has": lambda: store.has(DIGEST),
        "size": lambda: store.size(DIGEST),
        "read": lambda: store.read(DIGEST, 10_000_000),
        "put": lambda: store.put(DIGEST, DATA),
        "begin": lambda: store.begin(DIGEST, len(DATA)),
    }
    with pytest.raises(StoreError, match=r"regular file|symbolic link") as caught:
        questions[ask]()
    assert DIGEST.hex in str(caught.value)
    assert "remove it" in str(caught.value)


@pytest.mark.parametrize("call", ["open", "pwrite", "rename", "mkdir"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_T04_a_disk_that_refuses_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    real_open = os.open

    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    def refuse_new(path: str, flags: int, *args: int, **kwargs: int) -> int:
        if flags & os.O_CREAT:
            refuse()
        return real_open(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, call, refuse_new if call == "open" else refuse)
    with pytest.raises(StoreError) as caught:
        store.put(DIGEST, DATA)
    assert str(store.root) in str(caught.value)
    monkeypatch.undo()
    assert not [path for path in store.root.glob("ingest/*") if path.is_file()]
    assert not store.has(DIGEST)
    store.put(DIGEST, DATA)
    assert store.has(DIGEST)


def test_T04_a_blob_that_cannot_be_made_read_only_is_there_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fchmod", refuse)
    store.put(DIGEST, DATA)
    monkeypatch.undo()
    assert store.read(DIGEST, len(DATA)) == DATA


def read_only(root: Path) -> None:
    """What is here is had; what is not is refused."""
    with open_store(root, boot=storing.NEXT_BOOT) as store:
        assert store.has(DIGEST, len(DATA))
        assert store.read(DIGEST, 100) == DATA
        store.put(DIGEST, DATA)
        storing.name(store, "docker.io/library/here:1", DATA)
        assert [image.name for image in store.images()] == ["docker.io/library/here:1"]
        other = Digest.of(b"other")
        for write in (
            lambda: store.put(other, b"other"),
            lambda: store.begin(other, 5),
            lambda: store.announce([other]),
            lambda: storing.name(store, "docker.io/library/new:1", DATA),
        ):
            with pytest.raises(StoreError, match="permission denied"):
                write()


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may enter; pytest keeps its own private, and makes them so again."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_T09_a_store_that_cannot_be_written_serves_what_it_has(public: Path) -> None:
    """As another user, after a reboot: nothing is read-only to root."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to be somebody else")
    root = public / "store"
    with open_store(root) as store:
        store.announce([DIGEST])
        store.put(DIGEST, DATA)
        storing.name(store, "docker.io/library/here:1", DATA)
    assert succeeds(lambda: read_only(root), uid=65534)


def begin_more_than_may_be_open(root: Path) -> None:
    os.closerange(3, 4096)  # what pytest has open counts too
    resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
    held: list[Ingest] = []

    def begin() -> None:
        for number in range(40):
            data = b"%d" % number
            held.append(store.begin(Digest.of(data), len(data)))

    with open_store(root) as store:
        with pytest.raises(StoreError, match="too many open files"):
            begin()
        for ingest in held:
            ingest.close()


def test_T07_out_of_descriptors_is_a_clear_error(root: Path) -> None:
    assert succeeds(lambda: begin_more_than_may_be_open(root), uid=os.geteuid())
    assert not any(path.stat().st_size for path in root.glob("ingest/*"))


def test_T28_asking_for_many_blobs_is_quick(store: Store) -> None:
    """One system call for each; the folder is read never."""
    store.put(DIGEST, DATA)
    calls = 0
    real = os.stat

    def counted(*args: object, **kwargs: object) -> os.stat_result:
        nonlocal calls
        calls += 1
        return real(*args, **kwargs)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "stat", counted)
        for _ in range(1000):
            assert store.has(DIGEST, len(DATA))
    assert calls == 1000


def test_closing_frees_every_descriptor(root: Path) -> None:
    before = set(Path("/dev/fd").iterdir())
    with open_store(root) as store:
        store.announce([DIGEST])
        store.put(DIGEST, DATA)
        storing.fill(store, b"another")
        storing.name(store, "docker.io/library/a:1", DATA)
    assert set(Path("/dev/fd").iterdir()) <= before  # a thread of another test may end meanwhile
