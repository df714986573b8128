from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pinner.errors import InputError, StoreError
from pinner.git import Repository
from support.gitrepos import Ground, environment

if TYPE_CHECKING:
    from pathlib import Path

LOCK = "images.lock"


def find(folder: Path, **more: str) -> Repository:
    repository = Repository.find(folder, environ=environment(**more))
    assert repository is not None
    return repository


def failure(repository: Repository, revision: str, path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        repository.read(revision, path)
    return caught.value


def test_a_folder_outside_of_any_repository(tmp_path: Path) -> None:
    assert Repository.find(tmp_path, environ=environment()) is None


def test_the_top_is_found_from_below(ground: Ground) -> None:
    below = ground.folder / "a b" / "c"
    below.mkdir(parents=True)
    assert find(below).folder == ground.folder


def test_the_environment_of_this_process_is_the_default(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="git is not installed"):
        Repository.find(ground.folder)


@pytest.mark.parametrize(
    ("revision", "content"),
    [
        ("HEAD", b"two\n"),
        ("HEAD~1", b"one\n"),
        ("main", b"two\n"),
        ("v1", b"one\n"),
        (":/first", b"one\n"),
        ("main@{0}", b"two\n"),
    ],
)
def test_a_file_as_it_was(ground: Ground, revision: str, content: bytes) -> None:
    ground.commit({LOCK: "one\n"}, "the first")
    ground.git("tag", "--annotate", "--message=x", "v1")
    ground.commit({LOCK: "two\n"}, "another")
    ground.write({LOCK: "in the work tree\n"})
    assert find(ground.folder).read(revision, ground.folder / LOCK) == content


def test_a_file_that_the_revision_lacks(ground: Ground) -> None:
    ground.commit({"other": "x"})
    ground.write({LOCK: "new\n"})
    assert find(ground.folder).read("HEAD", ground.folder / LOCK) is None


@pytest.mark.parametrize("name", ["a b/imäges.lock", "-x/*.lock", ":(top)x", "new\nline"])
def test_names_are_taken_as_they_are(ground: Ground, name: str) -> None:
    ground.commit({name: "this\n", "images.lock": "not this\n"})
    assert find(ground.folder).read("HEAD", ground.folder / name) == b"this\n"


def test_bytes_are_not_converted(ground: Ground) -> None:
    ground.commit({LOCK: b"a\r\n\0\xff"})
    ground.git("config", "core.autocrlf", "true")
    assert find(ground.folder).read("HEAD", ground.folder / LOCK) == b"a\r\n\0\xff"


def test_a_link_in_the_work_tree_is_followed(ground: Ground) -> None:
    ground.commit({"real/lock": "here\n"})
    (ground.folder / LOCK).symlink_to("real/lock")
    assert find(ground.folder).read("HEAD", ground.folder / LOCK) == b"here\n"


def test_a_link_in_the_revision_is_no_file(ground: Ground) -> None:
    (ground.folder / LOCK).symlink_to("/etc/passwd")
    ground.git("add", LOCK)
    ground.git("commit", "--quiet", "--message=x")
    (ground.folder / LOCK).unlink()
    error = failure(find(ground.folder), "HEAD", ground.folder / LOCK)
    assert str(error) == "HEAD:images.lock: is not a regular file"


def test_a_folder_in_the_revision_is_no_file(ground: Ground) -> None:
    ground.commit({f"{LOCK}/inside": "x"})
    error = failure(find(ground.folder), "HEAD", ground.folder / LOCK)
    assert error.what == "is not a regular file"


def test_a_path_outside(ground: Ground, tmp_path: Path) -> None:
    ground.commit({LOCK: "x"})
    error = failure(find(ground.folder), "HEAD", tmp_path / LOCK)
    assert error.what == f"is outside of the git repository {ground.folder}"


def test_a_link_into_gits_own_folder(ground: Ground) -> None:
    ground.commit({"x": "x"})
    (ground.folder / LOCK).symlink_to(".git/config")
    error = failure(find(ground.folder), "HEAD", ground.folder / LOCK)
    assert error.what.startswith("is outside of the git repository")


def test_a_file_too_large(ground: Ground) -> None:
    ground.commit({LOCK: bytes(16 * 1024 * 1024 + 1)})
    error = failure(find(ground.folder), "HEAD", ground.folder / LOCK)
    assert error.what == "is larger than 16777216 bytes"


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "nowhere",
        "HEAD~9",
        "--all",
        "--batch-all-objects",
        "-h",
        "HEAD:images.lock",
        "HEAD^{tree}",
        "HEAD\nHEAD",
        "HEAD\0",
        "main..main",
        "\x1b[31m",
        "\udcff",
    ],
)
def test_what_is_no_revision(ground: Ground, revision: str) -> None:
    ground.commit({LOCK: "x"})
    error = failure(find(ground.folder), revision, ground.folder / LOCK)
    assert error.what.endswith("is not a revision of this git repository")
    assert error.mend == ("`git log --oneline` and `git branch --all` list some",)
    assert str(error).isprintable() or "\n" in str(error)
    assert "\x1b" not in str(error)


def test_a_repository_without_a_commit(ground: Ground) -> None:
    error = failure(find(ground.folder), "HEAD", ground.folder / LOCK)
    assert error.what == '"HEAD" is not a revision of this git repository'


def test_a_shallow_clone_says_so(ground: Ground, tmp_path: Path) -> None:
    ground.commit({LOCK: "one\n"})
    ground.commit({LOCK: "two\n"})
    ground.git("clone", "--quiet", "--depth=1", f"file://{ground.folder}", str(tmp_path / "clone"))
    clone = find(tmp_path / "clone")
    assert clone.read("HEAD", tmp_path / "clone" / LOCK) == b"two\n"
    error = failure(clone, "HEAD~1", tmp_path / "clone" / LOCK)
    assert error.mend == ("this clone is shallow: `git fetch --unshallow` brings the rest",)


def test_a_partial_clone_asks_no_remote(ground: Ground, tmp_path: Path) -> None:
    ground.commit({LOCK: "one\n"})
    ground.commit({LOCK: "two\n"})
    ground.git("config", "uploadpack.allowFilter", "true")
    ground.git(
        *("clone", "--quiet", "--filter=blob:none", f"file://{ground.folder}"),
        str(tmp_path / "clone"),
    )
    (clone := Ground(tmp_path / "clone")).git("config", "protocol.allow", "always")
    error = failure(find(clone.folder), "HEAD~1", clone.folder / LOCK)
    assert error.what.startswith("is not in this clone: ")


def test_a_work_tree_beside(ground: Ground, tmp_path: Path) -> None:
    ground.commit({LOCK: "one\n"})
    ground.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "beside"))
    beside = Ground(tmp_path / "beside")
    beside.commit({LOCK: "side\n"})
    assert find(beside.folder).read("HEAD", beside.folder / LOCK) == b"side\n"
    assert find(beside.folder).read("main", beside.folder / LOCK) == b"one\n"


def test_a_submodule_is_a_repository_of_its_own(ground: Ground, tmp_path: Path) -> None:
    inner = Ground.make(tmp_path / "inner")
    inner.commit({LOCK: "inner\n"})
    ground.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
        str(inner.folder),
        "inner",
    )
    ground.git("commit", "--quiet", "--message=x")
    inside = ground.folder / "inner"
    assert find(inside).read("HEAD", inside / LOCK) == b"inner\n"


def test_a_repository_without_a_work_tree(tmp_path: Path) -> None:
    bare = Ground.make(tmp_path / "bare", "--bare")
    with pytest.raises(InputError) as caught:
        Repository.find(bare.folder, environ=environment())
    assert caught.value.what == "is inside a git repository without a work tree"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_another_user(ground: Ground) -> None:
    os.chown(ground.folder, 1234, 1234)
    os.chown(ground.folder / ".git", 1234, 1234)
    with pytest.raises(InputError) as caught:
        Repository.find(ground.folder, environ=environment())
    assert "belongs to another user" in caught.value.what
    command = f"git config --global --add safe.directory {ground.folder}"
    assert caught.value.mend == (f"if you do: {command}",)


def test_a_damaged_repository(ground: Ground) -> None:
    commit = ground.commit({LOCK: "x"})
    repository = find(ground.folder)
    tree = ground.git("rev-parse", "HEAD^{tree}")
    (ground.folder / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(StoreError, match="git ls-tree failed"):
        repository.entry(commit, LOCK)


def test_a_broken_configuration(ground: Ground) -> None:
    (ground.folder / ".git/config").write_text("[core\n")
    with pytest.raises(InputError, match="git cannot read the repository: bad config"):
        Repository.find(ground.folder, environ=environment())


def test_variables_of_another_repository_do_not_count(ground: Ground, tmp_path: Path) -> None:
    ground.commit({LOCK: "this\n"})
    other = Ground.make(tmp_path / "other")
    other.commit({LOCK: "other\n"})
    repository = find(
        ground.folder,
        GIT_DIR=str(other.folder / ".git"),
        GIT_WORK_TREE=str(other.folder),
        GIT_OBJECT_DIRECTORY=str(other.folder / ".git/objects"),
    )
    assert repository.read("HEAD", ground.folder / LOCK) == b"this\n"


def test_the_users_configuration_counts(ground: Ground, tmp_path: Path) -> None:
    ceiling = str(ground.folder)
    (ground.folder / "below").mkdir()
    assert (
        Repository.find(
            ground.folder / "below", environ=environment(GIT_CEILING_DIRECTORIES=ceiling)
        )
        is None
    )


def test_a_repository_runs_nothing(ground: Ground, tmp_path: Path) -> None:
    ground.commit({LOCK: "one\n", ".gitattributes": "* filter=evil diff=evil\n"})
    ground.commit({LOCK: "two\n"})
    ground.git("config", "uploadpack.allowFilter", "true")
    ground.git(
        *("clone", "--quiet", "--filter=blob:none", f"file://{ground.folder}"),
        str(tmp_path / "clone"),
    )
    clone = Ground(tmp_path / "clone")
    witness = tmp_path / "witness"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\necho ran >> '{witness}'\n")
    evil.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc"):
        shutil.copy(evil, hooks / hook)
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "pager.cat-file", "core.askPass"),
        *("filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "credential.helper"),
        *("remote.origin.uploadpack", "core.editor", "core.alternateRefsCommand"),
    ):
        clone.git("config", key, str(evil))
    clone.git("config", "core.hooksPath", str(hooks))
    clone.git("config", "alias.cat-file", f"!{evil}")
    clone.git("config", "protocol.allow", "always")
    clone.git("config", "protocol.ext.allow", "always")
    for url in (f"ext::{evil}", "ssh://nowhere.invalid/x", f"file://{ground.folder}"):
        clone.git("config", "remote.origin.url", url)
        repository = find(clone.folder)
        assert repository.read("HEAD", clone.folder / LOCK) == b"two\n"
        failure(repository, "HEAD~1", clone.folder / LOCK)
    assert not witness.exists()


def test_the_files_of_a_folder_each_once_and_sorted(ground: Ground) -> None:
    ground.write({"new": "", "a b/c": "", "a b/.git-not": "", "ab/c": "", ".gitignore": "*.o\n"})
    ground.write({"a b/x.o": ""})
    ground.git("add", "a b/c")
    repository = find(ground.folder)
    assert repository.files(ground.folder / "a b") == ["a b/.git-not", "a b/c"]
    assert {"new", "ab/c", ".gitignore"} <= set(repository.files(ground.folder))


def test_files_of_a_folder_outside(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is outside of the git repository"):
        find(ground.folder).files(tmp_path.parent)


def test_listing_files_runs_nothing_that_the_repository_names(
    ground: Ground, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
    hook.chmod(0o755)
    ground.git("config", "core.fsmonitor", str(hook))
    ground.write({"new": ""})
    assert "new" in find(ground.folder).files(ground.folder)
    assert not proof.exists()
