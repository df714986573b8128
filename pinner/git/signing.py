"""Who commits, and whether git signs: as the user configured it, and not as a repository can."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.git.repository import Repository

_PROGRAM: Final = re.compile(r"gpg(\.(openpgp|x509|ssh))?\.(program|defaultkeycommand)")
_REPOSITORYS: Final = {"local", "worktree"}


def require_identity(repository: Repository) -> None:
    """Make sure that git knows a name and an address for author and committer.

    Raises:
        InputError: it would have to guess.
    """
    for kind in ("AUTHOR", "COMMITTER"):
        finished = repository.git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{kind}_IDENT")
        if finished.status != 0:
            raise InputError(
                "git does not know who commits",
                where=safe(str(repository.folder)),
                mend=(
                    'tell it: git config --global user.name "Your Name"',
                    "and: git config --global user.email you@your.example",
                ),
            )


def is_signing_wanted(repository: Repository) -> bool:
    """Whether `commit.gpgSign` is on.

    Raises:
        InputError: it is, and the repository's own configuration names the program; that is not
            run, since a repository can come from anywhere.
    """
    wanted = repository.git.run("config", "--type=bool", "--get", "commit.gpgSign")
    if wanted.output != b"true\n":
        return False
    listed = repository.git.output("config", "--null", "--show-scope", "--list").split(b"\0")
    for scope, setting in zip(listed[0::2], listed[1::2], strict=False):
        key = os.fsdecode(setting.partition(b"\n")[0])
        if os.fsdecode(scope) in _REPOSITORYS and _PROGRAM.fullmatch(key):
            raise InputError(
                f"this repository's own configuration names a program to sign with ({key})",
                where=safe(str(repository.folder)),
                mend=f"if it is yours, set it for all of yours: git config --global {key} …",
            )
    return True
