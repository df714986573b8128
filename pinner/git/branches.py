"""Branches: names, what is checked out, and whose commits they hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import AnswerNo, InputError
from pinner.git.objects import fingerprint, read_commit
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.git.objects import Commit
    from pinner.git.repository import Repository

HEADS: Final = "refs/heads/"
_LOOKED_AT: Final = 100
"""Commits on a branch that are looked at; more of them are not pinner's."""


def check_name(repository: Repository, name: str) -> None:
    """Make sure that a branch may have this name.

    Raises:
        InputError: it may not, or it says `refs/heads/` itself.
    """
    usable = name and "\0" not in name and not name.startswith("refs/")
    if usable:
        finished = repository.git.run("check-ref-format", "--branch", name)
        # It expands `@{-1}`, which is no name then.
        if finished.status == 0 and finished.output == os.fsencode(name) + b"\n":
            return
    raise InputError(
        f'"{safe(name, limit=160)}" cannot be the name of a branch',
        mend="such as pinner/update",
    )


def checked_out(repository: Repository) -> dict[str, str]:
    """The branches that are checked out, each with the folder where, also those without a commit.

    Returns:
        Folders by name without `refs/heads/`.
    """
    found: dict[str, str] = {}
    folder = ""
    for line in repository.git.line("worktree", "list", "--porcelain").splitlines():
        key, _, value = line.partition(" ")
        if key == "worktree":
            folder = value
        elif key == "branch":
            found[value.removeprefix(HEADS)] = folder
    return found


def tips(repository: Repository) -> dict[str, str]:
    """The id of the commit that each branch names, by name without `refs/heads/`."""
    listed = repository.git.line("for-each-ref", "--format=%(objectname) %(refname)", HEADS)
    pairs = (line.partition(" ") for line in listed.splitlines())
    return {name.removeprefix(HEADS): oid for oid, _, name in pairs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """All branches, as they were when they were looked at."""

    tips: dict[str, str]
    checked_out: dict[str, str]

    @classmethod
    def read(cls, repository: Repository) -> Branches:
        """The branches of a repository."""
        return cls(tips=tips(repository), checked_out=checked_out(repository))

    def require_free(self, name: str) -> None:
        """Make sure that a branch can be made or moved without anyone's work tree noticing.

        Raises:
            InputError: it is checked out, or a branch is where git needs a folder for its name.
        """
        if (folder := self.checked_out.get(name)) is not None:
            raise InputError(
                f"branch {safe(name)} is checked out, and would move beneath its files",
                where=safe(folder),
                mend="check out another branch there, or give another name to `--branch`",
            )
        for other in sorted(self.tips):
            if other.startswith(f"{name}/") or name.startswith(f"{other}/"):
                raise InputError(
                    f"git cannot have branch {safe(name)} beside branch {safe(other)}",
                    mend="rename it (`git branch -m`) or delete it (`git branch -D`)",
                )


def require_ours(repository: Repository, name: str, *, tip: str, base: str) -> str | None:
    """Make sure that all that a branch has beyond the base was made by pinner.

    Args:
        repository: where.
        name: of the branch, for messages.
        tip: the commit that it names.
        base: the commit that it shall follow.

    Returns:
        The tip; None where the base contains it.

    Raises:
        AnswerNo: there is a commit that pinner did not make, or that was changed since.
    """
    git = repository.git
    listed = git.line("rev-list", f"--max-count={_LOOKED_AT}", tip, f"^{base}").split()
    if not listed:
        return None
    if git.line("rev-parse", "--is-shallow-repository") == "true":
        listed = listed[:1]  # where the histories meet may not be here
    for oid in listed:
        commit = read_commit(git, oid)
        if not _is_ours(repository, commit):
            raise AnswerNo(
                f"branch {safe(name)} has a commit that pinner did not make: {commit.shown}",
                where=safe(str(repository.folder)),
                mend="merge it, or move it to another branch; `--force` drops it",
            )
    return tip


def _is_ours(repository: Repository, commit: Commit) -> bool:
    if commit.trailer is None or len(commit.parents) != 1:
        return False
    parent = commit.parents[0]
    if repository.git.run("cat-file", "-e", parent).status != 0:
        raise InputError(
            f"this clone lacks the parent of {commit.oid[:12]}, which tells whose commit it is",
            where=safe(str(repository.folder)),
            mend="fetch the branch with --depth=2 or more",
        )
    return commit.trailer == fingerprint(repository.git, parent, commit.oid)
