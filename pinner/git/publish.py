"""Commits of an update: onto the branch that is checked out, or onto one that is kept for them.

    Publisher.open   all that could refuse, before a registry is asked
    publish          blobs, trees and commits, which nothing names yet; then the names, all at once

On a branch of its own (`--branch`) a commit follows the base directly. Work tree, index and the
branch that is checked out stay as they are: the new files are on that branch alone. One that has
the same files on the same base already stays too, so that nobody pushes or tests it again.

On the branch that is checked out (`--commit`) the files are in the work tree already. They, and
nothing else, are in the commit; of the index their entries alone are replaced.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.errors import AnswerNo, InputError
from pinner.git.branches import HEADS, Branches, check_name, require_ours
from pinner.git.index import read_staged, stage
from pinner.git.model import Destination, Published, Refused
from pinner.git.objects import move_branches, read_commit, write_blobs, write_commit, write_tree
from pinner.git.signing import is_signing_wanted, require_identity
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pinner.git.model import Proposal
    from pinner.git.repository import Repository

_UNDER_WAY: Final = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Puts commits where they are wanted, which was found to be possible.

    Attributes:
        base: the id of the commit that they follow.
        signs: whether git is configured to sign commits.
        now: seconds since the epoch, for the commits' time.
    """

    repository: Repository
    destination: Destination
    base: str
    signs: bool
    now: Callable[[], float] = field(repr=False)

    @classmethod
    def open(
        cls,
        repository: Repository,
        destination: Destination,
        *,
        read: Mapping[Path, bytes | None],
        now: Callable[[], float],
    ) -> Publisher:
        """Make sure of all that can be known before there is something to commit.

        Args:
            repository: where.
            destination: the branch that is wanted.
            read: the files that the update is made of or will write, as the run read them; None
                where there is none. They must be as the base has them, line ends aside: else the
                commit would hold changes that are somebody's own, or lack them.
            now: seconds since the epoch, for the commits' time.

        Raises:
            InputError: git knows no name to commit by, the base is no commit, a file has changes,
                the branch cannot have its name or is checked out, or a merge is under way.
            AnswerNo: the branch has commits that pinner did not make, and dropping them was not
                asked for.
        """
        name = destination.branch
        if name is not None:
            check_name(repository, name)
        base = _base(repository, destination)
        require_identity(repository)
        publisher = cls(
            repository=repository,
            destination=destination,
            base=base,
            signs=is_signing_wanted(repository),
            now=now,
        )
        publisher.require_committed(read)
        if name is None:
            _require_rest(repository)
        elif name in (branches := Branches.read(repository)).tips or name in branches.checked_out:
            publisher._look_at(branches, name)
        return publisher

    def require_committed(self, files: Mapping[Path, bytes | None]) -> None:
        """Make sure that files are as the base has them, line ends aside.

        Args:
            files: as `read` of `open`.

        Raises:
            InputError: one is not.
        """
        for path, data in files.items():
            self._require_committed(path, data)

    def as_committed(self, path: Path, data: bytes) -> bytes:
        """The bytes with the line ends that the base's file has, whatever the work tree's have."""
        there = self.repository.read(self.base, path)
        if there is None or b"\r\n" in there:
            return data
        return data.replace(b"\r\n", b"\n")

    def publish(self, proposals: Sequence[Proposal]) -> tuple[Published | Refused, ...]:
        """Commit each proposal; onto the branch that is checked out, one at most.

        Returns:
            One for each proposal that differs from the base, in their order. A branch that is
            refused, as `open` says, does not stop the others.

        Raises:
            InputError: a commit could not be signed, or a file goes where git has something else.
            StoreError: git could not write. No branch was moved.
        """
        trees = [(one, tree) for one in proposals if (tree := self._tree(one)) is not None]
        if self.destination.branch is None:
            return tuple(self._commit(proposal, tree) for proposal, tree in trees)
        branches = Branches.read(self.repository)
        moves: dict[str, tuple[str, str | None]] = {}
        results: list[Published | Refused] = []
        for proposal, tree in trees:
            name = "/".join(filter(None, [self.destination.branch, proposal.beside]))
            try:
                check_name(self.repository, name)
                commit = self._same(self._look_at(branches, name), tree)
            except (AnswerNo, InputError) as error:
                results.append(Refused(branch=name, error=error))
                continue
            if changed := commit is None:
                commit = self._write(proposal, tree)
                moves[HEADS + name] = (commit, branches.tips.get(name))
            results.append(Published(branch=name, commit=commit, base=self.base, changed=changed))
        if moves:
            move_branches(self.repository.git, moves)
        return tuple(results)

    def _commit(self, proposal: Proposal, tree: str) -> Published:
        """One commit onto what is checked out."""
        git = self.repository.git
        commit = self._write(proposal, tree)
        # The index first: should the branch not move, the files are staged, and nothing is lost.
        stage(self.repository, commit, map(self.repository.relative, proposal.files))
        move_branches(git, {"HEAD": (commit, self.base)})
        head = git.run("symbolic-ref", "--quiet", "HEAD")
        name = os.fsdecode(head.output).strip().removeprefix(HEADS)
        return Published(branch=name or None, commit=commit, base=self.base, changed=True)

    def _tree(self, proposal: Proposal) -> str | None:
        """The tree with the proposal's files; None where it is the base's."""
        files = {self.repository.relative(path): data for path, data in proposal.files.items()}
        tree = write_tree(self.repository, self.base, write_blobs(self.repository, files))
        return None if tree == read_commit(self.repository.git, self.base).tree else tree

    def _write(self, proposal: Proposal, tree: str) -> str:
        return write_commit(
            self.repository,
            tree=tree,
            parent=self.base,
            message=proposal.message,
            when=int(self.now()),
            sign=self.signs,
        )

    def _look_at(self, branches: Branches, name: str) -> str | None:
        """The tip of a branch that may be moved; None where there is nothing to compare with."""
        branches.require_free(name)
        tip = branches.tips.get(name)
        if tip is None or self.destination.force:
            return tip
        return require_ours(self.repository, name, tip=tip, base=self.base)

    def _same(self, tip: str | None, tree: str) -> str | None:
        """The tip, where it has this tree on this base."""
        if tip is None:
            return None
        commit = read_commit(self.repository.git, tip)
        return tip if commit.tree == tree and commit.parents == (self.base,) else None

    def _require_committed(self, path: Path, data: bytes | None) -> None:
        there = self.repository.read(self.base, path)
        staged = there
        if self.destination.branch is None:
            staged = read_staged(self.repository, path)
        if _lines(there) == _lines(data) == _lines(staged):
            return
        revision = self.destination.base
        raise InputError(
            f"{safe(path.name)} is not as {safe(revision)} has it",
            where=safe(str(path)),
            mend="commit or `git stash` your changes: an update is made of what git has",
        )


def _base(repository: Repository, destination: Destination) -> str:
    try:
        return repository.commit_id(destination.base)
    except InputError:
        if destination.base != "HEAD":
            raise
        raise InputError(
            "the git repository has no commit yet",
            where=safe(str(repository.folder)),
            mend="commit images.toml first",
        ) from None


def _require_rest(repository: Repository) -> None:
    for name, what in _UNDER_WAY.items():
        path = repository.git.line("rev-parse", "--git-path", name)
        if (repository.folder / path).exists():
            raise InputError(
                f"a {what} is under way in this git repository",
                where=safe(str(repository.folder)),
                mend=f"end it with `git {what} --continue` or `git {what} --abort`",
            )


def _lines(data: bytes | None) -> bytes | None:
    return None if data is None else data.replace(b"\r\n", b"\n")
