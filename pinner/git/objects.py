"""Trees and commits, made of plumbing: neither work tree nor index is looked at.

A commit of pinner's ends with a trailer that names what it changed, as a hash of mode, blob and
path of each file. So it is known again after a rebase, and no longer once somebody amended it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, StoreError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pinner.git.model import Message
    from pinner.git.process import Git
    from pinner.git.repository import Repository

TRAILER: Final = "Pinner-Update"
_NEW_FILE: Final = "100644"
_FOLDER: Final = "040000"
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as it is stored.

    Attributes:
        parents: ids; also of those that a shallow clone lacks.
        author: the name alone; foreign text.
        message: whole; foreign text.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: str
    message: str

    @property
    def shown(self) -> str:
        """How messages name it."""
        subject = self.message.partition("\n")[0]
        return (
            f'{self.oid[:12]} "{safe(subject, limit=_SHOWN)}" by {safe(self.author, limit=_SHOWN)}'
        )

    @property
    def trailer(self) -> str | None:
        """What its last line names as changed; None where it has no such trailer."""
        key, _, value = self.message.rstrip("\n").rpartition("\n")[2].partition(": ")
        return value if key == TRAILER else None


def read_commit(git: Git, oid: str) -> Commit:
    """The commit of this id."""
    text = git.output("cat-file", "commit", oid).decode("utf-8", "replace")
    head, _, message = text.partition("\n\n")
    fields = [line.partition(" ") for line in head.split("\n")]
    return Commit(
        oid=oid,
        tree=next(value for key, _, value in fields if key == "tree"),
        parents=tuple(value for key, _, value in fields if key == "parent"),
        author=next((value for key, _, value in fields if key == "author"), "").partition(" <")[0],
        message=message,
    )


def write_blobs(repository: Repository, files: Mapping[str, bytes]) -> dict[str, str]:
    """The ids of these bytes as blobs, by path; they are stored as they are, unfiltered."""
    return {
        path: repository.git.line("hash-object", "-w", "--stdin", stdin=data)
        for path, data in files.items()
    }


def write_tree(repository: Repository, base: str, blobs: Mapping[str, str]) -> str:
    """The tree of a commit with some files put in place of what it has.

    Args:
        repository: where.
        base: the id of a commit or tree.
        blobs: ids by path from the top, with `/`. A file that is there keeps its mode.

    Raises:
        InputError: a folder, link or submodule is where a file, or a file where a folder, goes.
    """
    return _with_files(repository.git, base, blobs, at="")


def _with_files(git: Git, tree: str | None, blobs: Mapping[str, str], *, at: str) -> str:
    """One folder's tree: its own files replaced, its folders by recursion."""
    entries: dict[str, tuple[str, str, str]] = {}
    if tree is not None:
        for record in git.output("ls-tree", "-z", "--full-tree", tree).split(b"\0")[:-1]:
            about, _, raw = record.partition(b"\t")
            mode, kind, oid = about.decode().split()
            entries[os.fsdecode(raw)] = (mode, kind, oid)
    below: dict[str, dict[str, str]] = {}
    for path, oid in blobs.items():
        name, slash, rest = path.partition("/")
        mode, kind, _ = entries.get(name, (_NEW_FILE, "tree" if slash else "blob", ""))
        if kind != ("tree" if slash else "blob") or (not slash and not mode.startswith("100")):
            raise InputError(
                "is not what git has there: no folder or regular file", where=safe(at + name)
            )
        if slash:
            below.setdefault(name, {})[rest] = oid
        else:
            entries[name] = (mode, "blob", oid)
    for name, inside in below.items():
        there = entries[name][2] if name in entries else None
        oid = _with_files(git, there, inside, at=f"{at}{name}/")
        entries[name] = (_FOLDER, "tree", oid)
    listing = b"".join(
        f"{mode} {kind} {oid}\t".encode() + os.fsencode(name) + b"\0"
        for name, (mode, kind, oid) in entries.items()
    )
    # A partial clone lacks objects that it names.
    return git.line("mktree", "-z", "--missing", stdin=listing)


def fingerprint(git: Git, before: str, after: str) -> str:
    """A hash of what differs between two trees or commits, of the newer one's files alone."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which reading does without

    listed = git.output("diff-tree", "-r", "-z", "--no-renames", before, after).split(b"\0")
    changes = []
    for about, path in zip(listed[0::2], listed[1::2], strict=False):
        _, mode, _, oid, _ = about.split()
        changes.append(b"%b %b %b\0" % (mode, oid, path))
    return hashlib.sha256(b"".join(sorted(changes))).hexdigest()


def write_commit(
    repository: Repository, *, tree: str, parent: str, message: Message, when: int, sign: bool
) -> str:
    """The id of a new commit; nothing names it yet.

    Args:
        repository: where.
        tree: its id.
        parent: the id of the one commit that it follows.
        message: gets the trailer.
        when: seconds since the epoch.
        sign: whether git signs it, as it is configured to.

    Raises:
        InputError: it could not be signed.
        StoreError: it could not be stored.
    """
    git = repository.git
    trailer = f"{TRAILER}: {fingerprint(git, parent, tree)}"
    text = "\n\n".join(part for part in (message.subject, message.body, trailer) if part)
    moment = f"@{when} +0000"
    finished = git.run(
        *("commit-tree", *(["-S"] if sign else ["--no-gpg-sign"]), "-p", parent, tree),
        stdin=f"{text}\n".encode(),
        extra={"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment},
    )
    if finished.status == 0:
        return finished.output.decode().strip()
    if sign:
        raise InputError(
            f"git could not sign the commit: {finished.reason}",
            where=safe(str(repository.folder)),
            mend="commit.gpgSign asks for it: unlock the key, or turn it off with git config",
        )
    raise git.failure(finished, "commit-tree")


def move_branches(git: Git, moves: Mapping[str, tuple[str, str | None]]) -> None:
    """Let each reference name a new commit, all of them or none.

    Args:
        git: of the repository.
        moves: the new commit and the one that is named now, by `HEAD` or `refs/heads/…`; None
            where there is no such reference yet.

    Raises:
        StoreError: one names something else by now, or is locked, or cannot be written.
    """
    orders = b"".join(
        b"update %b\0%b\0%b\0" % (os.fsencode(name), new.encode(), (old or "0" * len(new)).encode())
        for name, (new, old) in moves.items()
    )
    finished = git.run("update-ref", "-m", "pinner update", "--stdin", "-z", stdin=orders)
    if finished.status != 0:
        raise StoreError(
            f"git could not move the branch: {finished.reason}",
            where=safe(str(git.folder)),
            mend="if somebody else moved it meanwhile, run pinner again",
        )
