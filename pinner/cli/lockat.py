"""Lockfiles as the command line names them: by a path, or by a revision of the git repository.

    old/images.lock     a file: with a separator or the ending `.lock`, and there
    HEAD~1  main        the project's images.lock at that revision
    HEAD:sub/images.lock, v1.2:./images.lock    another file at a revision, as git spells it

A name that is both a file and a revision is the file; `REVISION:images.lock` is the other one. It
takes a separator in the name: git has no branch or tag that ends in `.lock`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.cli.project import LOCKFILE
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.lockfile import Lock

_SUFFIX: Final = ".lock"
_SHOWN: Final = 160
# The first colon that is not within braces, as in `HEAD@{2026-01-02 03:04}`, parts the path; one
# that nothing stands before is git's `:/text`.
_AT_REVISION: Final = re.compile(r"((?:[^:{]|\{[^}]*\})+):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLock:
    """A lockfile, and how the user knows it."""

    name: str
    lock: Lock


def working_lock(session: Session) -> NamedLock:
    """The project's images.lock as it is in the folder now.

    Raises:
        InputError: there is none, it cannot be read, or it has problems.
    """
    return NamedLock(name=LOCKFILE, lock=session.project.require_lock())


def lock_at(session: Session, name: str) -> NamedLock:
    """The lockfile that a path or a revision names.

    Raises:
        InputError: it names neither, there is no git repository, the revision has no such file, or
            the file has problems.
    """
    from pinner.lockfile import LOCK_LIMIT, loads  # noqa: PLC0415 - help does without

    path = session.project.seen_from / name
    # Not `Path.is_file`, which fails for a name that is too long for the disk.
    if _looks_like_a_path(name) and os.path.isfile(path):  # noqa: PTH113
        from pinner.fsio import read_limited  # noqa: PLC0415

        data = read_limited(path, LOCK_LIMIT)
    else:
        data = _at_revision(session, name)
    return NamedLock(name=name, lock=loads(data, path=safe(name, limit=_SHOWN)))


def _looks_like_a_path(name: str) -> bool:
    return os.sep in name or name.endswith(_SUFFIX)


def _at_revision(session: Session, name: str) -> bytes:
    from pinner.git import Repository  # noqa: PLC0415 - two paths do without git

    project = session.project
    shown = safe(name, limit=_SHOWN)
    found = _AT_REVISION.fullmatch(name)
    revision, inner = (found[1], found[2]) if found else (name, "")
    repository = Repository.find(project.folder, environ=session.runtime.environ)
    if repository is None:
        raise InputError(
            f'"{shown}" is no file, and this is no git repository that could have it as a revision',
            mend="give the path of a lockfile, such as old/images.lock",
        )
    if not inner:
        path = project.lock_path
    elif inner.startswith(("./", "../")):
        path = project.seen_from / inner
    else:
        path = repository.folder / inner
    try:
        data = repository.read(revision, path)
    except InputError as error:
        if _looks_like_a_path(name) and not found:
            raise InputError(
                f'"{shown}" is neither a file nor a revision of this git repository',
                mend=error.mend,
            ) from error
        raise
    if data is None:
        raise InputError(
            f"{safe(revision, limit=_SHOWN)} has no {safe(repository.relative(path))}",
            mend=f"`git log --all -- {LOCKFILE}` lists the revisions that changed it",
        )
    return data
