from __future__ import annotations

import dataclasses
import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from pinner.errors import AnswerNo, InputError, StoreError
from pinner.git import Destination, Message, Proposal, Published, Publisher, Refused, Repository
from support.gitrepos import IDENTITY, Ground, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pinner.errors import PinnerError

LOCK = "images.lock"
BRANCH = "pinner/update"
NOON = 1_790_000_000


@pytest.fixture
def ground(ground: Ground) -> Ground:
    """A repository with a project, and with unrelated changes of every kind under way."""
    ground.commit({LOCK: "old\n", "images.toml": "spec\n", "code": "1\n", "gone": "x\n"})
    ground.write({"code": "2\n", "staged": "new\n", "untracked": "x\n"})
    ground.git("add", "staged")
    ground.git("rm", "--quiet", "gone")
    return ground


def opened(
    ground: Ground,
    destination: Destination | None = None,
    *,
    env: Mapping[str, str] | None = None,
    now: float = NOON + 0.9,
) -> Publisher:
    repository = Repository.find(ground.folder, environ=environment(**(env or IDENTITY)))
    assert repository is not None
    paths = [ground.folder / LOCK, ground.folder / "images.toml"]
    return Publisher.open(
        repository,
        destination or Destination(branch=BRANCH),
        read={path: path.read_bytes() if path.exists() else None for path in paths},
        now=lambda: now,
    )


def refusal(ground: Ground, destination: Destination | None = None) -> PinnerError:
    before = ground.git("for-each-ref")
    with pytest.raises((InputError, AnswerNo)) as caught:
        opened(ground, destination)
    assert ground.git("for-each-ref") == before
    return caught.value


def proposal(ground: Ground, content: str = "new\n", *, beside: str = "") -> Proposal:
    return Proposal(
        message=Message(subject="build(images): update python", body="python: 1 → 2"),
        files={ground.folder / LOCK: content.encode()},
        beside=beside,
    )


def published(publisher: Publisher, *proposals: Proposal) -> Published:
    (result,) = publisher.publish(proposals)
    assert isinstance(result, Published)
    return result


def write_new(ground: Ground) -> Proposal:
    """The update as `--commit` meets it: the file is in the work tree already."""
    ground.write({LOCK: "new\n"})
    return proposal(ground)


class TestOnABranchOfItsOwn:
    def test_it_holds_one_commit_with_the_new_file(self, ground: Ground) -> None:
        head = ground.git("rev-parse", "HEAD")
        result = published(opened(ground), proposal(ground))
        assert result == Published(
            branch=BRANCH, commit=ground.git("rev-parse", BRANCH), base=head, changed=True
        )
        assert ground.git("rev-parse", f"{BRANCH}^") == head
        assert ground.git("diff", "--name-status", "HEAD", BRANCH) == f"M\t{LOCK}"
        assert ground.git("show", f"{BRANCH}:{LOCK}") == "new"

    def test_all_else_stays_as_it_is(self, ground: Ground) -> None:
        before = ground.state()
        published(opened(ground), proposal(ground))
        assert ground.state() == before

    def test_message_author_and_time(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        shown = ground.git("log", "-1", "--format=%an <%ae> %at%n%cn <%ce> %ct%n%B", BRANCH)
        assert re.fullmatch(
            f"Ada <ada@test.example> {NOON}\n"
            f"Ada <ada@test.example> {NOON}\n"
            "build\\(images\\): update python\n\npython: 1 → 2\n\nPinner-Update: [0-9a-f]{64}\n",
            shown,
        )
        trailers = ground.git("log", "-1", "--format=%(trailers:key=Pinner-Update)", BRANCH)
        assert trailers.startswith("Pinner-Update: ")

    def test_the_same_clock_makes_the_same_commit(self, ground: Ground) -> None:
        first = published(opened(ground), proposal(ground))
        ground.git("branch", "--quiet", "-D", BRANCH)
        assert published(opened(ground), proposal(ground)) == first

    def test_nothing_new_leaves_the_branch(self, ground: Ground) -> None:
        first = published(opened(ground), proposal(ground))
        later = published(opened(ground, now=NOON + 9999), proposal(ground))
        assert later == dataclasses.replace(first, changed=False)
        assert ground.git("rev-parse", BRANCH) == first.commit

    def test_a_newer_image_refreshes_it(self, ground: Ground) -> None:
        first = published(opened(ground), proposal(ground))
        later = published(opened(ground), proposal(ground, "newer\n"))
        assert (later.changed, later.base) == (True, first.base)
        assert ground.git("rev-list", "--count", f"HEAD..{BRANCH}") == "1"
        assert ground.git("show", f"{BRANCH}:{LOCK}") == "newer"

    def test_a_newer_base_refreshes_it(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        ground.git("commit", "--quiet", "--message=main goes on")
        later = published(opened(ground), proposal(ground))
        assert (later.changed, later.base) == (True, ground.git("rev-parse", "HEAD"))
        assert ground.git("ls-tree", "--name-only", BRANCH, "staged") == "staged"

    def test_a_newer_base_with_the_same_files_refreshes_it(self, ground: Ground) -> None:
        first = published(opened(ground), proposal(ground))
        empty = ground.git("commit-tree", "-p", "HEAD", "-m", "empty", "HEAD^{tree}")
        ground.git("update-ref", "HEAD", empty)
        later = published(opened(ground), proposal(ground))
        assert (later.changed, later.base, first.base) == (True, empty, first.base)

    def test_in_a_repository_of_longer_ids(self, tmp_path: Path) -> None:
        ground = Ground.make(tmp_path / "sha256", "--object-format=sha256")
        ground.commit({LOCK: "old\n", "images.toml": "spec\n"})
        first = published(opened(ground), proposal(ground))
        assert len(first.commit) == 64
        assert not published(opened(ground), proposal(ground)).changed
        assert published(opened(ground), proposal(ground, "newer\n")).changed

    def test_what_the_base_has_already_is_no_commit(self, ground: Ground) -> None:
        assert opened(ground).publish([proposal(ground, "old\n")]) == ()
        assert ground.git("branch", "--list", BRANCH) == ""

    def test_another_base(self, ground: Ground) -> None:
        head = ground.git("rev-parse", "HEAD")
        ground.git("commit", "--quiet", "--message=not for the branch")
        result = published(
            opened(ground, Destination(branch=BRANCH, base="main~1")), proposal(ground)
        )
        assert result.base == head

    def test_a_detached_head(self, ground: Ground) -> None:
        ground.git("checkout", "--quiet", "--detach")
        before = ground.state()
        published(opened(ground), proposal(ground))
        assert ground.state() == before

    def test_from_a_work_tree_beside(self, ground: Ground, tmp_path: Path) -> None:
        ground.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "beside"))
        beside = Ground(tmp_path / "beside")
        result = published(opened(beside), proposal(beside))
        assert ground.git("rev-parse", BRANCH) == result.commit

    def test_in_a_shallow_clone(self, ground: Ground, tmp_path: Path) -> None:
        published(opened(ground), proposal(ground))
        ground.git("commit", "--quiet", "--message=main goes on")
        ground.git("clone", "--quiet", "--depth=1", f"file://{ground.folder}", str(tmp_path / "c"))
        clone = Ground(tmp_path / "c")
        clone.git("fetch", "--quiet", "--depth=2", "origin", f"{BRANCH}:{BRANCH}")
        assert published(opened(clone), proposal(clone, "newer\n")).changed

    def test_a_shallow_clone_without_the_parent(self, ground: Ground, tmp_path: Path) -> None:
        published(opened(ground), proposal(ground))
        ground.git("commit", "--quiet", "--message=main goes on")
        ground.git("clone", "--quiet", "--depth=1", f"file://{ground.folder}", str(tmp_path / "c"))
        clone = Ground(tmp_path / "c")
        clone.git("fetch", "--quiet", "--depth=1", "origin", f"{BRANCH}:{BRANCH}")
        assert refusal(clone).mend == ("fetch the branch with --depth=2 or more",)

    def test_a_file_in_a_folder_that_is_new(self, ground: Ground) -> None:
        one = Proposal(
            message=Message(subject="x"),
            files={
                ground.folder / "a b/ü/images.lock": b"deep\n",
                ground.folder / "a b/other": b"beside\n",
                ground.folder / LOCK: b"new\n",
            },
        )
        published(opened(ground), one)
        assert ground.git("show", f"{BRANCH}:a b/ü/images.lock") == "deep"
        assert ground.git("diff", "--name-only", "-z", "HEAD", BRANCH).split("\0")[:-1] == [
            "a b/other",
            "a b/ü/images.lock",
            LOCK,
        ]
        ground.git("fsck", "--strict")

    def test_a_file_keeps_its_mode(self, ground: Ground) -> None:
        ground.git("update-index", "--chmod=+x", LOCK)
        ground.git("commit", "--quiet", "--message=executable")
        published(opened(ground), proposal(ground))
        assert ground.git("ls-tree", BRANCH, LOCK).startswith("100755 ")

    def test_a_file_where_git_has_a_folder(self, ground: Ground) -> None:
        publisher = opened(ground)
        one = Proposal(message=Message(subject="x"), files={ground.folder / "code/lock": b"x"})
        with pytest.raises(InputError, match="no folder or regular file") as caught:
            publisher.publish([one])
        assert caught.value.where == "code"

    def test_line_ends_of_the_work_tree_do_not_matter(self, ground: Ground) -> None:
        ground.write({LOCK: b"old\r\n"})
        assert published(opened(ground), proposal(ground)).changed


class TestSomebodysCommits:
    def add(self, ground: Ground, *, options: tuple[str, ...] = ()) -> str:
        """A commit by hand on the branch, made in a clone and pushed."""
        clone = Ground(ground.folder.parent / "clone")
        ground.git("clone", "--quiet", str(ground.folder), str(clone.folder))
        clone.git("checkout", "--quiet", BRANCH)
        clone.write({"fix": "by hand\n"})
        clone.git("add", "fix")
        clone.git("commit", "--quiet", *(options or ("--message=mine \x1b[31m",)))
        clone.git("push", "--quiet", "--force", "origin", BRANCH)
        return clone.git("rev-parse", "HEAD")

    def test_are_not_dropped(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        commit = self.add(ground)
        error = refusal(ground)
        assert isinstance(error, AnswerNo)
        assert error.what == (
            f"branch {BRANCH} has a commit that pinner did not make: "
            f'{commit[:12]} "mine \\x1b[31m" by Ada'
        )
        assert error.mend == ("merge it, or move it to another branch; `--force` drops it",)

    def test_are_dropped_by_force(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        self.add(ground)
        result = published(opened(ground, Destination(branch=BRANCH, force=True)), proposal(ground))
        assert result.changed
        assert ground.git("diff", "--name-only", "HEAD", BRANCH) == LOCK

    def test_force_leaves_what_is_the_same(self, ground: Ground) -> None:
        first = published(opened(ground), proposal(ground))
        again = published(
            opened(ground, Destination(branch=BRANCH, force=True), now=0), proposal(ground)
        )
        assert again == dataclasses.replace(first, changed=False)

    def test_an_amended_commit_of_ours_is_somebodys(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        self.add(ground, options=("--amend", "--no-edit"))
        assert "has a commit that pinner did not make" in refusal(ground).what

    def test_beneath_ours(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        clone = Ground(ground.folder.parent / "clone")
        ground.git("clone", "--quiet", str(ground.folder), str(clone.folder))
        clone.git("checkout", "--quiet", "-b", "mine")
        clone.commit({"fix": "by hand\n"})
        clone.git("cherry-pick", f"origin/{BRANCH}")
        clone.git("push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")
        assert "has a commit that pinner did not make" in refusal(ground).what

    def test_a_rebase_of_ours_is_still_ours(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        ground.git("commit", "--quiet", "--message=main goes on")
        clone = Ground(ground.folder.parent / "clone")
        ground.git("clone", "--quiet", str(ground.folder), str(clone.folder))
        clone.git("cherry-pick", f"origin/{BRANCH}")
        clone.git("push", "--quiet", "--force", "origin", f"HEAD:{BRANCH}")
        clone.git("reset", "--quiet", "--hard", "origin/main")
        assert not published(opened(ground), proposal(ground)).changed

    def test_a_merge_of_the_base_is_somebodys(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        ground.git("commit", "--quiet", "--message=main goes on")
        clone = Ground(ground.folder.parent / "clone")
        ground.git("clone", "--quiet", str(ground.folder), str(clone.folder))
        clone.git("checkout", "--quiet", BRANCH)
        clone.git("merge", "--quiet", "--no-edit", "origin/main")
        clone.git("push", "--quiet", "origin", BRANCH)
        assert "has a commit that pinner did not make" in refusal(ground).what

    def test_what_is_merged_is_lost_to_nobody(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        self.add(ground)
        ground.git("stash", "--quiet", "--include-untracked")
        ground.git("merge", "--quiet", BRANCH)
        result = published(opened(ground), proposal(ground, "newer\n"))
        assert result.base == ground.git("rev-parse", "HEAD")


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "name",
        [
            "",
            "-x",
            "--all",
            "a..b",
            "a b",
            "x.lock",
            "@{-1}",
            "HEAD",
            "refs/heads/x",
            "a\nb",
            "a\0b",
            "/",
            "a//b",
            "\x1b[31m",
            "a:b",
        ],
    )
    def test_a_name_that_no_branch_has(self, ground: Ground, name: str) -> None:
        ground.git("checkout", "--quiet", "-b", "previous")
        ground.git("checkout", "--quiet", "main")
        error = refusal(ground, Destination(branch=name))
        assert error.what.endswith("cannot be the name of a branch")
        assert error.what.isprintable()

    def test_the_branch_that_is_checked_out(self, ground: Ground) -> None:
        error = refusal(ground, Destination(branch="main"))
        assert error.what == "branch main is checked out, and would move beneath its files"
        assert error.where == str(ground.folder)

    def test_a_branch_that_is_checked_out_elsewhere(self, ground: Ground, tmp_path: Path) -> None:
        ground.git("worktree", "add", "--quiet", "-b", BRANCH, str(tmp_path / "beside"))
        assert refusal(ground).where == str(tmp_path / "beside")

    def test_a_branch_that_is_checked_out_and_unborn(self, ground: Ground) -> None:
        ground.git("symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
        error = refusal(ground, Destination(branch=BRANCH, base="main"))
        assert "is checked out" in error.what

    @pytest.mark.parametrize("other", ["pinner", "pinner/update/python"])
    def test_a_branch_where_a_folder_must_be(self, ground: Ground, other: str) -> None:
        ground.git("branch", other)
        (result,) = opened(ground).publish([proposal(ground)])
        assert isinstance(result, Refused)
        assert result.error.what == f"git cannot have branch {BRANCH} beside branch {other}"

    def test_a_base_that_is_none(self, ground: Ground) -> None:
        error = refusal(ground, Destination(branch=BRANCH, base="nowhere"))
        assert error.what == '"nowhere" is not a revision of this git repository'

    @pytest.mark.parametrize("branch", [None, BRANCH])
    def test_a_repository_without_a_commit(self, tmp_path: Path, branch: str | None) -> None:
        empty = Ground.make(tmp_path / "empty")
        error = refusal(empty, Destination(branch=branch))
        assert error.what == "the git repository has no commit yet"

    @pytest.mark.parametrize("branch", [None, BRANCH])
    @pytest.mark.parametrize("name", [LOCK, "images.toml"])
    def test_a_change_of_ones_own(self, ground: Ground, name: str, branch: str | None) -> None:
        ground.write({name: "changed by hand\n"})
        error = refusal(ground, Destination(branch=branch))
        assert error.what == f"{name} is not as HEAD has it"

    def test_a_lockfile_that_git_does_not_have(self, ground: Ground) -> None:
        ground.git("rm", "--quiet", "--cached", LOCK)
        ground.git("commit", "--quiet", "--message=x")
        assert refusal(ground).what == f"{LOCK} is not as HEAD has it"

    def test_a_staged_change_of_ones_own(self, ground: Ground) -> None:
        ground.write({LOCK: "staged by hand\n"})
        ground.git("add", LOCK)
        ground.write({LOCK: "old\n"})
        assert refusal(ground, Destination()).what == f"{LOCK} is not as HEAD has it"
        assert opened(ground).destination.branch == BRANCH  # the index matters to `--commit` alone

    def test_no_identity(self, ground: Ground) -> None:
        with pytest.raises(InputError, match="git does not know who commits") as caught:
            opened(ground, env={"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@test.example"})
        assert len(caught.value.mend) == 2

    def test_an_identity_of_the_configuration(self, ground: Ground, home: Path) -> None:
        (home / ".gitconfig").write_text("[user]\nname = Eve\nemail = eve@test.example\n")
        published(opened(ground, env={"X": ""}), proposal(ground))
        assert ground.git("log", "-1", "--format=%an %ce", BRANCH) == "Eve eve@test.example"

    @pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
    def test_a_commit_amid_a_merge(self, ground: Ground, how: str) -> None:
        ground.git("reset", "--quiet", "--hard")
        ground.git("checkout", "--quiet", "-b", "side")
        ground.commit({"code": "side\n"})
        ground.git("checkout", "--quiet", "main")
        ground.commit({"code": "main\n"})
        with pytest.raises(AssertionError):
            ground.git(how, "side")
        ground.git("checkout", "--quiet", "--ours", "--", LOCK, "images.toml")
        error = refusal(ground, Destination())
        assert error.what == f"a {how} is under way in this git repository"
        if how != "rebase":
            assert opened(ground).publish([proposal(ground)])  # the branch is another matter


class TestOntoWhatIsCheckedOut:
    def test_the_file_alone_is_committed(self, ground: Ground) -> None:
        head = ground.git("rev-parse", "HEAD")
        publisher = opened(ground, Destination())
        result = published(publisher, write_new(ground))
        assert result == Published(
            branch="main", commit=ground.git("rev-parse", "HEAD"), base=head, changed=True
        )
        assert ground.git("diff", "--name-status", "HEAD~1", "HEAD") == f"M\t{LOCK}"
        assert ground.git("log", "-1", "--format=%s") == "build(images): update python"

    def test_other_changes_stay_as_they_are(self, ground: Ground) -> None:
        before = ground.git("status", "--porcelain")
        publisher = opened(ground, Destination())
        published(publisher, write_new(ground))
        assert ground.git("status", "--porcelain") == before
        assert set(before.splitlines()) == {"D  gone", "A  staged", " M code", "?? untracked"}

    def test_on_no_branch(self, ground: Ground) -> None:
        ground.git("checkout", "--quiet", "--detach")
        main = ground.git("rev-parse", "main")
        publisher = opened(ground, Destination())
        result = published(publisher, write_new(ground))
        assert (result.branch, result.commit) == (None, ground.git("rev-parse", "HEAD"))
        assert ground.git("rev-parse", "main") == main

    def test_in_a_work_tree_beside(self, ground: Ground, tmp_path: Path) -> None:
        ground.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "beside"))
        beside = Ground(tmp_path / "beside")
        publisher = opened(beside, Destination())
        assert published(publisher, write_new(beside)).branch == "side"
        assert beside.git("status", "--porcelain") == ""

    def test_in_a_submodule(self, ground: Ground, tmp_path: Path) -> None:
        outer = Ground.make(tmp_path / "outer")
        outer.git(
            *("-c", "protocol.file.allow=always", "submodule", "--quiet", "add"),
            str(ground.folder),
            "inner",
        )
        inner = Ground(outer.folder / "inner")
        publisher = opened(inner, Destination())
        assert published(publisher, write_new(inner)).branch == "main"
        assert inner.git("status", "--porcelain") == ""

    def test_a_locked_index_leaves_the_branch(self, ground: Ground) -> None:
        head = ground.git("rev-parse", "HEAD")
        publisher = opened(ground, Destination())
        one = write_new(ground)
        (ground.folder / ".git/index.lock").touch()
        with pytest.raises(StoreError, match="update-index"):
            publisher.publish([one])
        assert ground.git("rev-parse", "HEAD") == head

    def test_somebody_was_faster(self, ground: Ground) -> None:
        publisher = opened(ground, Destination())
        one = write_new(ground)
        other = ground.git("commit-tree", "-p", "HEAD", "-m", "x", "HEAD^{tree}")
        ground.git("update-ref", "HEAD", other)
        with pytest.raises(StoreError, match="could not move the branch"):
            publisher.publish([one])
        assert ground.git("rev-parse", "HEAD") == other


class TestABranchForEach:
    def test_each_holds_its_own(self, ground: Ground) -> None:
        results = opened(ground).publish(
            [proposal(ground, "a\n", beside="a"), proposal(ground, "b\n", beside="b")]
        )
        assert [(one.branch, isinstance(one, Published)) for one in results] == [
            (f"{BRANCH}/a", True),
            (f"{BRANCH}/b", True),
        ]
        assert ground.git("show", f"{BRANCH}/a:{LOCK}") == "a"
        assert ground.git("show", f"{BRANCH}/b:{LOCK}") == "b"

    def test_one_that_is_refused_does_not_stop_the_others(self, ground: Ground) -> None:
        ground.git("branch", f"{BRANCH}/a")
        clone = Ground(ground.folder.parent / "clone")
        ground.git("clone", "--quiet", str(ground.folder), str(clone.folder))
        clone.commit({"fix": "x"})
        clone.git("push", "--quiet", "origin", f"HEAD:{BRANCH}/a")
        first, second = opened(ground).publish(
            [proposal(ground, "a\n", beside="a"), proposal(ground, "b\n", beside="b")]
        )
        assert isinstance(first, Refused)
        assert isinstance(first.error, AnswerNo)
        assert isinstance(second, Published)
        assert ground.git("show", f"{BRANCH}/b:{LOCK}") == "b"

    def test_the_one_branch_is_in_the_way(self, ground: Ground) -> None:
        published(opened(ground), proposal(ground))
        (result,) = opened(ground).publish([proposal(ground, beside="a")])
        assert isinstance(result, Refused)
        assert f"beside branch {BRANCH}" in result.error.what


class TestSigning:
    PROGRAM = (
        "#!/bin/sh\ncat >/dev/null\n"
        "echo '[GNUPG:] SIG_CREATED D 1 8 00 0 0' >&2\n"
        "echo '-----BEGIN PGP SIGNATURE-----'\necho x\necho '-----END PGP SIGNATURE-----'\n"
    )

    def configure(self, home: Path, program: str = PROGRAM) -> Path:
        path = home / "signer"
        path.write_text(program)
        path.chmod(0o755)
        (home / ".gitconfig").write_text(
            f"[commit]\ngpgSign = true\n[gpg]\nprogram = {path}\n[user]\nsigningKey = x\n"
        )
        return path

    def test_as_the_user_configured_it(self, ground: Ground, home: Path) -> None:
        self.configure(home)
        result = published(opened(ground), proposal(ground))
        assert "\ngpgsig -----BEGIN PGP SIGNATURE-----" in ground.git(
            "cat-file", "commit", result.commit
        )
        again = published(opened(ground, now=0), proposal(ground))
        assert not again.changed

    def test_not_unless_asked(self, ground: Ground) -> None:
        result = published(opened(ground), proposal(ground))
        assert "gpgsig" not in ground.git("cat-file", "commit", result.commit)

    def test_a_key_that_cannot_be_used(self, ground: Ground, home: Path) -> None:
        self.configure(home, "#!/bin/sh\nexit 1\n")
        with pytest.raises(InputError, match="could not sign the commit"):
            opened(ground).publish([proposal(ground)])

    def test_a_program_of_the_repository_is_not_run(self, ground: Ground, home: Path) -> None:
        ground.git("config", "commit.gpgSign", "true")
        ground.git("config", "gpg.program", str(self.configure(home)))
        error = refusal(ground)
        assert error.what.endswith("names a program to sign with (gpg.program)")


@pytest.mark.parametrize("filters", ["filter.e=vil.process", "filter.e=vil.clean"])
def test_a_repository_runs_nothing(ground: Ground, tmp_path: Path, filters: str) -> None:
    witness = tmp_path / "witness"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\necho \"$0\" >> '{witness}'\n")
    evil.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for hook in (
        *("post-index-change", "reference-transaction", "pre-commit", "commit-msg"),
        *("post-commit", "prepare-commit-msg", "post-checkout", "post-rewrite"),
    ):
        shutil.copy(evil, hooks / hook)
        shutil.copy(evil, ground.folder / ".git/hooks" / hook)
    (ground.folder / ".git/info").mkdir(exist_ok=True)
    (ground.folder / ".git/info/attributes").write_text("* filter=e=vil diff=evil\n")
    for key in (
        *("core.fsmonitor", "core.pager", "core.editor", "gpg.program", "filter.e=vil.clean"),
        *("filter.e=vil.smudge", filters, "diff.evil.textconv", "diff.external"),
    ):
        ground.git("config", key, str(evil))
    ground.git("config", "filter.e=vil.required", "true")
    ground.git("config", "core.hooksPath", str(hooks))
    users = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "user.name",
        "GIT_CONFIG_VALUE_0": "x",
    }
    witness.unlink(missing_ok=True)  # git itself ran them so far
    published(opened(ground), proposal(ground))
    publisher = opened(ground, Destination(), env={**IDENTITY, **users})
    ground.write({LOCK: "new\n"})
    # As new as the index, so that who writes it looks at the file again.
    moment = (ground.folder / ".git/index").stat().st_mtime_ns
    os.utime(ground.folder / "images.toml", ns=(moment, moment))
    published(publisher, proposal(ground))
    assert not witness.exists(), witness.read_text()
