"""`pinner export` as an archive: which images, where to, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tarfile
import time
from typing import TYPE_CHECKING, Any

import pytest

from pinner.archive import write_archive
from pinner.lockfile import Lock, LockedImage
from pinner.oci.digest import Digest
from pinner.oci.reference import Repository
from pinner.store import names
from pinner.store.prune import PruneWish, prune
from support.archiving import built, index_over, put
from support.files import AMD64, ARM64, write_project
from support.storing import name, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pinner.archive import ArchivePlan

Pinner = Any

AMD = built("linux/amd64", b"shared", b"amd64")
ARM = built("linux/arm64", b"shared", b"arm64")
MOVED = built("linux/amd64", b"moved")
INDEX = index_over(AMD.entry, ARM.entry)
SPEC = """\
[settings]
platforms = ["linux/amd64", "linux/arm64"]

[images]
app = "app:1"
"""
LOCKED = LockedImage(
    name="app",
    repository=Repository("docker.io", "app"),
    tag="1",
    digest=INDEX[0].digest,
    platforms={AMD64: AMD.digest, ARM64: ARM.digest},
)
TAG = "docker.io/library/app:1"
BOTH = ("--platform", "linux/amd64", "--platform", "linux/arm64")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store as `pinner sync --all-platforms` leaves it."""
    path = tmp_path / "store"
    monkeypatch.setenv("PINNER_STORE", str(path))
    with open_store(path) as store:
        put(store, AMD)
        put(store, ARM)
        store.put(INDEX[0].digest, INDEX[0].data)
        name(store, TAG, INDEX[0].data, INDEX[0].media_type)
        for image in (AMD, ARM):
            name(store, f"docker.io/library/app@{image.digest}", image.raw.data)
    return path


@pytest.fixture
def project(tmp_path: Path, store: Path) -> Path:
    write_project(tmp_path, spec=SPEC, lock=Lock(images=(LOCKED,)))
    return tmp_path


@pytest.fixture
def both_ends() -> Iterator[tuple[int, int]]:
    """Of a terminal: what a person sees, and what a program writes to."""
    own, theirs = pty.openpty()
    yield own, theirs
    os.close(own)
    os.close(theirs)


@pytest.fixture
def terminal(both_ends: tuple[int, int]) -> int:
    return both_ends[1]


@pytest.fixture
def held_up(project: Path) -> Path:
    """Where an export of large:1 waits in its midst for a reader."""
    large = built("linux/amd64", os.urandom(4_000_000))
    with open_store(project / "store") as store:
        put(store, large)
        name(store, "docker.io/library/large:1", large.raw.data)
    fifo = project / "out.tar"
    os.mkfifo(fifo)
    return fifo


def named(archive: Path) -> dict[str, str]:
    """The names of index.json, and the digests that they stand for."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile("index.json")
        assert file is not None
        return {
            entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"]
            for entry in json.load(file)["manifests"]
        }


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"store"}


def start(folder: Path, *argv: str, **settings: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "pinner", "export", *argv],
        cwd=folder,
        env={**os.environ, "PINNER_STORE": str(folder / "store"), "TERM": "xterm"},
        **{"stderr": subprocess.PIPE, **settings},
    )


def test_an_entry_for_a_platform(pinner: Pinner, project: Path) -> None:
    ran = pinner("export", "app", "--platform", "linux/arm64", "-o", "app.tar")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "Wrote 1 image for linux/arm64 to app.tar: 10.2 kB in 5 blobs\n"
    assert (project / "app.tar").stat().st_size == 10240
    assert named(project / "app.tar") == {TAG: str(ARM.digest)}


def test_without_a_name_every_entry(pinner: Pinner, project: Path) -> None:
    assert pinner("export", "--all-platforms", "-o", "all.tar").code == 0
    assert named(project / "all.tar") == {TAG: str(INDEX[0].digest)}


def test_without_a_platform_that_of_this_machine(
    pinner: Pinner, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert pinner("export", "app", "-o", "app.tar").code == 0
    assert named(project / "app.tar") == {TAG: str(ARM.digest)}


def test_the_lock_counts_and_not_the_name_of_the_store(
    pinner: Pinner, project: Path, store: Path
) -> None:
    with open_store(store) as opened:
        put(opened, MOVED)
        name(opened, TAG, MOVED.raw.data)
    pinner("export", "app", "--platform", "linux/amd64", "-o", "entry.tar")
    pinner("export", "app:1", "-o", "reference.tar")
    assert named(project / "entry.tar") == {TAG: str(AMD.digest)}
    assert named(project / "reference.tar") == {TAG: str(MOVED.digest)}


def test_outside_a_project(pinner: Pinner, tmp_path: Path, store: Path) -> None:
    for arguments in (("app:1",), ("--all",), (f"app:1@{INDEX[0].digest}",)):
        assert pinner("export", *arguments, "-o", "out.tar").code == 0
        assert named(tmp_path / "out.tar") == {TAG: str(INDEX[0].digest)}
    ran = pinner("export", "-o", "out.tar")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no images.lock" in ran.err


def test_all_of_a_store_for_one_platform_says_what_it_leaves(
    pinner: Pinner, tmp_path: Path, store: Path
) -> None:
    with open_store(store) as opened:
        put(opened, MOVED)
        name(opened, "docker.io/library/moved:1", MOVED.raw.data)
    told = pinner("export", "--all", "--platform", "linux/arm64", "-o", "all.tar")
    assert told.code == 0
    left = "moved:1 is left out: moved:1 is not in the store for linux/arm64"
    assert told.err == f"warning: {left}\n"
    assert named(tmp_path / "all.tar") == {TAG: str(ARM.digest)}
    ran = pinner("export", "--all", "--platform", "linux/s390x", "-o", "none.tar")
    assert ran.code == 1
    assert "there is nothing to export" in ran.err
    assert not (tmp_path / "none.tar").exists()


def test_the_same_images_give_the_same_bytes(
    pinner: Pinner, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Another store, other order of names, other way of naming."""
    other = tmp_path_factory.mktemp("other") / "store"
    with open_store(other) as opened:
        put(opened, MOVED)
        for image in (ARM, AMD):
            put(opened, image)
        opened.put(INDEX[0].digest, INDEX[0].data)
        name(opened, "docker.io/library/moved:1", MOVED.raw.data)
        name(opened, TAG, INDEX[0].data, INDEX[0].media_type)
    with open_store(project / "store") as opened:
        put(opened, MOVED)
        name(opened, "docker.io/library/moved:1", MOVED.raw.data)
    pinner("export", "moved:1", "app:1", "-o", "one.tar")
    pinner("export", "app:1", "moved:1", "--store", str(other), "-o", "two.tar")
    pinner("export", "--all", "-o", "three.tar")
    one = (project / "one.tar").read_bytes()
    assert (project / "two.tar").read_bytes() == one
    assert (project / "three.tar").read_bytes() == one


def test_json(pinner: Pinner, project: Path) -> None:
    told = json.loads(pinner("export", "app", *BOTH, "-o", "app.tar", "--json").out)
    assert told["command"] == "export"
    assert told["wrote"] == ["app.tar"]
    assert told["bytes"] == (project / "app.tar").stat().st_size
    assert told["contents"][0]["digests"] == [str(INDEX[0].digest)]
    assert told["contents"][0]["docker"]["platform"] == "linux/amd64"


def test_a_stale_lock_is_refused(pinner: Pinner, project: Path) -> None:
    (project / "images.toml").write_text(SPEC + 'other = "other:1"\n')
    arguments = ("export", "app", "--platform", "linux/amd64", "-o", "app.tar")
    ran = pinner(*arguments)
    assert ran.code == 1
    assert "`pinner export --frozen` to take it as it is" in ran.err
    assert pinner(*arguments, "--frozen").code == 0
    # What the lock has no part in does not ask it.
    assert pinner("export", "app:1", "-o", "app.tar").code == 0


@pytest.mark.parametrize("gone", [AMD.blobs[-1], AMD.raw.data], ids=["a layer", "the manifest"])
def test_what_is_not_in_the_store_is_not_fetched(
    pinner: Pinner, project: Path, store: Path, gone: bytes
) -> None:
    (store / "blobs/sha256" / Digest.of(gone).hex).unlink()
    ran = pinner("export", "app", "--platform", "linux/amd64", "-o", "app.tar")
    assert ran.code == 1
    assert "in the store for linux/amd64\n" in ran.err
    assert "run `pinner sync --platform linux/amd64 app`" in ran.err
    assert not (project / "app.tar").exists()
    (store / "blobs/sha256" / Digest.of(ARM.blobs[-1]).hex).unlink()
    ran = pinner("export", "app:1", "-o", "app.tar")
    assert ran.code == 1
    assert "run `pinner pull app:1`" in ran.err


def test_several_that_are_not_in_the_store(pinner: Pinner, tmp_path: Path) -> None:
    other = LockedImage(
        name="other",
        repository=Repository("docker.io", "other"),
        tag="1",
        digest=MOVED.digest,
        platforms={AMD64: MOVED.digest},
    )
    spec = '[images]\napp = "app:1"\nother = { image = "other:1", platforms = ["linux/amd64"] }\n'
    write_project(tmp_path, spec=spec, lock=Lock(images=(LOCKED, other)))
    ran = pinner(
        *("export", "--platform", "linux/amd64", "-o", "app.tar", "--frozen"),
        *("--store", "none"),
    )
    assert ran.code == 1
    assert "2 of 2 images are not in the store, or not completely: app and other" in ran.err
    assert "run `pinner sync --platform linux/amd64 --frozen --store none app other`" in ran.err


def test_a_corrupt_blob_is_no_archive(pinner: Pinner, project: Path, store: Path) -> None:
    blob = store / "blobs/sha256" / Digest.of(b"amd64").hex
    blob.chmod(0o644)
    blob.write_bytes(b"AMD64")
    before = files(project)
    ran = pinner("export", "app", "--platform", "linux/amd64", "-o", "app.tar")
    assert ran.code == 4
    assert "is corrupt in the store" in ran.err
    assert files(project) == before


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--all", "app", "-o", "x"), "--all and NAME exclude each other"),
        (
            ("--all-platforms", "--platform", "linux/amd64", "-o", "x"),
            "--platform and --all-platforms exclude each other",
        ),
        (("app", "--json"), "--json and the archive cannot both go to standard output"),
        (("app", "--compose", "c.yaml", "-o", "x"), "an archive takes no --compose FILE"),
        (("ap", "-o", "x"), 'did you mean "app"?'),
        (("a\x1b[2J", "-o", "x"), "neither images.lock nor the store has an image"),
        (("app", "--platform", "linux/s390x", "-o", "x"), "app is not locked for linux/s390x"),
    ],
)
def test_what_is_refused(
    pinner: Pinner, project: Path, arguments: tuple[str, ...], what: str
) -> None:
    ran = pinner("export", *arguments)
    assert ran.code == 2
    assert what in ran.err + ran.out
    assert "\x1b" not in ran.err
    assert not (project / "x").exists()


@pytest.mark.parametrize(
    ("path", "what"),
    [("none/x.tar", "No such file or directory"), (".", "is a folder")],
)
def test_where_no_archive_can_go(pinner: Pinner, project: Path, path: str, what: str) -> None:
    before = files(project)
    ran = pinner("export", "app", *BOTH, "-o", path)
    assert ran.code == 5
    assert what in ran.err
    assert files(project) == before


def test_a_full_disk_leaves_nothing(
    pinner: Pinner, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = files(project)
    monkeypatch.setattr("pinner.archive.write.os.write", full)
    ran = pinner("export", "app", *BOTH, "-o", "app.tar")
    assert ran.code == 5
    assert ran.err == (
        "error: app.tar: cannot be written: No space left on device\n"
        "  free some space, or write to another disk\n"
    )
    assert files(project) == before


def test_a_terminal_is_refused(project: Path, terminal: int) -> None:
    process = start(project, "app", "--platform", "linux/amd64", stdout=terminal)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert b"cowardly refusing to write an archive to a terminal\n" in err


def test_standard_output_gets_what_a_file_gets(pinner: Pinner, project: Path) -> None:
    pinner("export", "app", *BOTH, "-o", "app.tar")
    process = start(project, "app", *BOTH, stdout=subprocess.PIPE)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert out == (project / "app.tar").read_bytes()
    assert err.decode() == (
        "Wrote 1 image for linux/amd64, linux/arm64 to standard output: 13.8 kB in 8 blobs\n"
    )
    quiet = start(project, "app", *BOTH, "-q", stdout=subprocess.PIPE)
    assert quiet.communicate(timeout=120) == (out, b"")


def test_a_reader_that_leaves(project: Path) -> None:
    out, into = os.pipe()
    os.close(out)
    process = start(project, "app", *BOTH, stdout=into)
    os.close(into)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 5
    assert b"standard output: whoever reads the archive left before its end\n" in err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "TERM"]
)
def test_an_interruption_leaves_nothing(
    project: Path, held_up: Path, number: int, code: int
) -> None:
    """Interrupted while a reader that takes nothing holds it up."""
    before = files(project)
    process = start(project, "large:1", "-o", "out.tar", stdout=subprocess.PIPE)
    with held_up.open("rb") as reader:
        assert reader.read(512)  # it has begun
        time.sleep(0.1)
        process.send_signal(number)
        out, _ = process.communicate(timeout=120)
    assert process.returncode == code
    assert out == b""
    assert files(project) == before


def test_a_terminal_shows_how_far_it_is(
    project: Path, held_up: Path, both_ends: tuple[int, int]
) -> None:
    own, theirs = both_ends
    process = start(project, "large:1", "-o", "out.tar", stdout=subprocess.PIPE, stderr=theirs)
    seen = b""
    with held_up.open("rb") as reader:
        while b"total" not in seen:
            assert select.select([own], [], [], 60)[0], seen
            seen += os.read(own, 4096)
        archive = reader.read()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"large:1" in seen
    assert len(archive) > 4_000_000
    assert out.startswith(b"Wrote 1 image ")


@pytest.mark.parametrize("quiet", [False, True], ids=["pipe", "quiet-terminal"])
def test_nobody_else_is_shown_it(
    project: Path, held_up: Path, both_ends: tuple[int, int], *, quiet: bool
) -> None:
    own, theirs = both_ends
    how: dict[str, Any] = {"stdout": subprocess.PIPE, **({"stderr": theirs} if quiet else {})}
    process = start(project, "large:1", "-o", "out.tar", *["-q"] * quiet, **how)
    with held_up.open("rb") as reader:
        assert len(reader.read()) > 4_000_000
    _, err = process.communicate(timeout=60)
    os.write(theirs, b"end")
    assert process.returncode == 0
    assert os.read(own, 4096) == b"end"
    assert not err


def test_what_is_about_to_be_written_is_not_pruned(
    pinner: Pinner, project: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pruned_meanwhile(plan: ArchivePlan, *rest: Any, **options: Any) -> None:
        with open_store(store) as other, other.locked() as held:
            other.replace_index(held, names.loads(names.EMPTY_INDEX))
        with open_store(store) as other:
            prune(other, PruneWish(partials_older_than=0), now=2.0**40)
        write_archive(plan, *rest, **options)

    monkeypatch.setattr("pinner.cli.archiving.write_archive", pruned_meanwhile)
    assert pinner("export", "app", *BOTH, "-o", "images.tar").code == 0
    with tarfile.open(project / "images.tar") as archive:
        assert archive.getmember(f"blobs/sha256/{ARM.digest.hex}").size == len(ARM.raw.data)
