from __future__ import annotations

import errno
import functools
import itertools
import json
import os
from typing import TYPE_CHECKING, NoReturn

import pytest

from pinner.errors import StoreError
from pinner.oci.digest import Digest
from pinner.store.opening import NoStore
from support import storing
from support.dying import survives
from support.storing import open_store

if TYPE_CHECKING:
    from pathlib import Path

ROOT = {"oci-layout", "index.json", "blobs", ".pinner"}


def make(root: Path) -> None:
    open_store(root).close()


def use(root: Path) -> None:
    with open_store(root) as store:
        storing.name(store, "docker.io/library/a:1", b"{}")
        storing.fill(store, b"some bytes")


def test_a_new_store_is_an_empty_layout(root: Path) -> None:
    open_store(root / "deep" / "er").close()
    root = root / "deep" / "er"
    assert json.loads((root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads((root / "index.json").read_bytes())["manifests"] == []
    assert (root / "blobs").is_dir()


def test_opening_again_changes_nothing(root: Path) -> None:
    open_store(root).close()
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    open_store(root).close()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


@pytest.mark.parametrize("empty_folder", [False, True])
def test_without_create_a_missing_store_is_an_answer(root: Path, *, empty_folder: bool) -> None:
    if empty_folder:
        root.mkdir()
    with pytest.raises(NoStore, match="there is no store yet"):
        open_store(root, create=False)
    assert not root.exists() or not list(root.iterdir())


def test_a_layout_of_another_tool_is_opened_without_a_write(root: Path) -> None:
    root.mkdir()
    (root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")
    with open_store(root, create=False) as store:
        assert store.images() == ()
    assert [path.name for path in root.iterdir()] == ["oci-layout"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b'{"imageLayoutVersion": "9.9.9"}', "pinner knows 1.0.0", id="T16-version"),
        pytest.param(b"", "is damaged", id="T16-empty"),
        pytest.param(b'{"imageLayoutVersion": "1.0', "is damaged", id="T16-half"),
        pytest.param(b"{}", "imageLayoutVersion is missing", id="T16-without version"),
        pytest.param(b'{"imageLayoutVersion": 1}', "is not text", id="T16-number"),
        pytest.param(b"[]", "is damaged", id="T16-list"),
        pytest.param(b" " * 70000, "is larger than", id="T16-huge"),
    ],
)
def test_an_oci_layout_file_that_is_not_understood(root: Path, content: bytes, words: str) -> None:
    open_store(root).close()
    (root / "oci-layout").write_bytes(content)
    with pytest.raises(StoreError, match=words) as caught:
        open_store(root)
    assert "oci-layout" in str(caught.value)
    assert (root / "oci-layout").read_bytes() == content


def test_T16_a_missing_oci_layout_file_of_our_own_store_is_written_again(root: Path) -> None:
    with open_store(root) as store:
        storing.name(store, "docker.io/library/kept:1", b"{}")
    (root / "oci-layout").unlink()
    with open_store(root) as store:
        assert [image.name for image in store.images()] == ["docker.io/library/kept:1"]


def test_a_folder_with_other_things_is_not_made_a_store(root: Path) -> None:
    root.mkdir()
    (root / "thesis.tex").touch()
    with pytest.raises(StoreError, match="is not a store: the folder is not empty"):
        open_store(root)
    assert [path.name for path in root.iterdir()] == ["thesis.tex"]


def test_the_root_of_a_fresh_file_system_becomes_a_store(root: Path) -> None:
    (root / "lost+found").mkdir(parents=True)
    open_store(root).close()
    assert (root / "oci-layout").exists()


def test_a_store_may_be_reached_by_the_users_own_link(root: Path, tmp_path: Path) -> None:
    open_store(root).close()
    (tmp_path / "link").symlink_to(root)
    with open_store(tmp_path / "link") as store:
        store.put(Digest.of(b"blob"), b"blob")
    with open_store(root) as store:
        assert store.read(Digest.of(b"blob"), 4) == b"blob"


@pytest.mark.parametrize("name", ["blobs", ".pinner", "ingest"])
def test_T31_no_folder_inside_is_reached_by_a_link(root: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    open_store(root).close()
    if (root / name).exists():
        (root / name).rename(tmp_path / "moved")
    (root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="symbolic link"):
        use(root)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("place", ["root", "blobs", "blobs/sha256", ".pinner"])
def test_T34_a_store_that_everybody_can_write_to_is_refused(root: Path, place: str) -> None:
    use(root)
    (root if place == "root" else root / place).chmod(0o777)
    with pytest.raises(StoreError, match="written by everybody"):
        use(root)


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("spa ces", id="T08-spaces"),
        pytest.param("line\nfeed", id="T08-newline"),
        pytest.param(os.fsdecode(b"\xff\xfe"), id="T08-not UTF-8"),
    ],
)
def test_any_path_will_do(tmp_path: Path, folder: str) -> None:
    with open_store(tmp_path / folder) as store:
        storing.fill(store, b"bytes")
        assert store.read(storing.describe(b"bytes").digest, 5) == b"bytes"


def test_T08_a_path_that_is_too_long_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the path is too long"):
        open_store(tmp_path / ("x" * 300))


def test_a_parent_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="is not a folder"):
        open_store(tmp_path / "file" / "store")


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_T04_a_store_that_cannot_be_made_is_a_clear_error(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(StoreError, match=f"{root}: cannot be made: "):
        open_store(root)


def test_T02_a_making_that_was_cut_short_anywhere_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # a death loses no pages; this saves time
    for calls in itertools.count():
        root = tmp_path / str(calls)
        survived = survives(functools.partial(make, root), calls=calls)
        storing.check_tree(root)
        with open_store(root) as store:
            storing.name(store, "docker.io/library/a:1", b"{}")
        assert {path.name for path in root.iterdir()} == ROOT
        assert not (root / ".pinner" / "new").exists()
        if survived:
            break
    assert calls > 10


def test_T03_a_new_store_is_known_for_ours_before_it_has_a_name_to_lose(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut could keep index.json and lose .pinner, and the folder be a stranger's."""
    seen: list[set[str]] = []
    real = os.fsync

    def note(fd: int) -> None:
        if os.path.samestat(root.stat(), os.fstat(fd)):
            seen.append({path.name for path in root.iterdir()})
        real(fd)

    root.mkdir()
    monkeypatch.setattr(os, "fsync", note)
    open_store(root).close()
    assert seen[0] == {".pinner"}


def test_sixteen_processes_make_one_store(root: Path) -> None:
    processes = [storing.start("open", root) for _ in range(16)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 16
    assert {path.name for path in root.iterdir()} == ROOT
