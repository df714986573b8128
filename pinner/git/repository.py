"""A git repository with a work tree: where it is, and what files were at a revision."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.git.process import Git
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE_LIMIT: Final = 16 * 1024 * 1024
_OBJECT: Final = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) (commit|tag) \d+\n")
_OF_LINES: Final = re.compile(rb"[\n\0]")
_DUBIOUS: Final = "detected dubious ownership"
_OUTSIDE: Final = re.compile(r"(?:^|/)(?:\.\.?|\.git)?(?:/|\Z)", re.IGNORECASE)
_NONE_HERE: Final = ("not a git repository", "must be run in a work tree")


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One name in a tree of git.

    Attributes:
        mode: six octal digits, as git prints them.
        oid: hexadecimal.
    """

    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        """A regular file, executable or not: no link, folder or submodule."""
        return self.mode in {"100644", "100755"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository, seen from its work tree.

    Attributes:
        folder: the top of the work tree, without links in its path.
        git: runs git there.
    """

    folder: Path
    git: Git = field(repr=False)

    @classmethod
    def find(cls, folder: Path, *, environ: Mapping[str, str] | None = None) -> Repository | None:
        """The repository whose work tree `folder` is in; None where there is none.

        Args:
            folder: exists.
            environ: the caller's environment; None: this process's.

        Raises:
            InputError: git is not installed, refuses a repository of another user, or the folder
                is inside a repository without a work tree.
        """
        git = Git(folder=folder, environ=os.environ if environ is None else environ)
        finished = git.run("rev-parse", "--show-toplevel")
        if finished.status == 0:
            top = Path(os.fsdecode(finished.output.removesuffix(b"\n")))
            return cls(folder=top, git=Git(folder=top, environ=git.environ))
        where = safe(str(folder))
        if _DUBIOUS in finished.errors:
            raise InputError(
                "git does not trust this repository: it belongs to another user",
                where=where,
                mend=_trust(finished.errors, folder),
            )
        if _NONE_HERE[0] in finished.errors:
            return None
        if _NONE_HERE[1] in finished.errors:
            raise InputError(
                "is inside a git repository without a work tree",
                where=where,
                mend="run pinner in a clone of it",
            )
        raise InputError(f"git cannot read the repository: {finished.reason}", where=where)

    def commit_id(self, revision: str) -> str:
        """The id of the commit that a revision names.

        Args:
            revision: whatever git understands: `HEAD~1`, a branch, a tag, an abbreviated id.

        Raises:
            InputError: it names no commit that is here.
        """
        asked = os.fsencode(revision)
        while asked and not _OF_LINES.search(asked):
            # Read from stdin, so that no revision is ever an option.
            finished = self.git.run("cat-file", "--batch-check", stdin=asked + b"\n")
            found = _OBJECT.fullmatch(finished.output)
            if found is None:
                break
            if found[2] == b"commit":
                return found[1].decode()
            asked = found[1] + b"^{}"  # what a tag is of; text such as `:/x` bears no suffix
        raise InputError(
            f'"{safe(revision, limit=160)}" is not a revision of this git repository',
            where=safe(str(self.folder)),
            mend=self._mend_revision(),
        )

    def read(self, revision: str, path: Path) -> bytes | None:
        """The bytes of a file as a revision has it; None where it has no such file.

        The bytes are those that git stores: no filter, no conversion of line ends.

        Args:
            revision: as `commit_id`.
            path: of the file today, links followed; within the work tree.

        Raises:
            InputError: no such revision, a path outside, no regular file there, or one of more
                than 16 MiB.
        """
        entry = self.entry(self.commit_id(revision), self.relative(path))
        if entry is None:
            return None
        where = f"{safe(revision, limit=160)}:{safe(self.relative(path))}"
        if not entry.is_file:
            raise InputError("is not a regular file", where=where)
        size = self.git.run("cat-file", "-s", entry.oid)
        if size.status != 0:
            raise InputError(
                f"is not in this clone: {size.reason}",
                where=where,
                mend=f"let git fetch it: git cat-file -s {entry.oid}",
            )
        if int(size.output) > _FILE_LIMIT:
            raise InputError(f"is larger than {_FILE_LIMIT} bytes", where=where)
        return self.git.output("cat-file", "blob", entry.oid)

    def entry(self, tree: str, path: str) -> TreeEntry | None:
        """What a tree has at a path; None where it has nothing.

        Args:
            tree: the id of a commit or tree.
            path: relative to the top of the work tree.
        """
        listed = self.git.output("ls-tree", "-z", "--full-tree", tree, "--", path)
        for record in listed.split(b"\0"):
            about, tab, name = record.partition(b"\t")
            if tab and os.fsdecode(name) == path:
                mode, _, oid = about.decode().split()
                return TreeEntry(mode=mode, oid=oid)
        return None

    def files(self, folder: Path) -> list[str]:
        """The files of the work tree below a folder: tracked ones, and new ones not ignored.

        Names come from the index, which is as hostile as the repository: one that leads out of the
        work tree or into git's own folder is left out. A name may be of a link, of a submodule, of
        a repository within this one, or of nothing any more.

        Args:
            folder: within the work tree.

        Returns:
            Names from the top of the work tree, with `/`, each once, sorted.

        Raises:
            InputError: the folder is outside of the work tree.
            StoreError: git cannot list them.
        """
        top = folder.resolve() == self.folder
        listed = self.git.output(
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
            "--deduplicate",
            "--",
            *(() if top else (self.relative(folder),)),
        )
        names = os.fsdecode(listed).split("\0")
        return sorted(name for name in names if not _OUTSIDE.search(name))

    def relative(self, path: Path) -> str:
        """The path as git names it: from the top of the work tree, with `/`, links followed.

        Raises:
            InputError: it is outside of the work tree, or inside of git's own folder.
        """
        target = path.resolve()
        inside = target.is_relative_to(self.folder)
        relative = target.relative_to(self.folder) if inside else target
        if not inside or ".git" in map(str.lower, relative.parts):
            raise InputError(
                f"is outside of the git repository {safe(str(self.folder))}",
                where=safe(str(path)),
            )
        return relative.as_posix()

    def _mend_revision(self) -> str:
        if self.git.line("rev-parse", "--is-shallow-repository") == "true":
            return "this clone is shallow: `git fetch --unshallow` brings the rest"
        return "`git log --oneline` and `git branch --all` list some"


def _trust(errors: str, folder: Path) -> str:
    """The command that git itself proposes, or the same for `folder`."""
    named = re.search(r"repository at '(.+)'$", errors, re.MULTILINE)
    path = named[1] if named else str(folder)
    return f"if you do: git config --global --add safe.directory {safe(shlex.quote(path))}"
