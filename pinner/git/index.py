"""The user's index: read, and for single files replaced by what was committed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pinner.git.repository import Repository


def read_staged(repository: Repository, path: Path) -> bytes | None:
    """The bytes that the index has of a file; None where it has none."""
    relative = repository.relative(path)
    listed = repository.git.output("ls-files", "--stage", "-z", "--", relative).split(b"\0")
    entries = [line.partition(b"\t") for line in listed if line]
    oids = [about.split()[1] for about, _, name in entries if os.fsdecode(name) == relative]
    return repository.git.output("cat-file", "blob", oids[0].decode()) if oids else None


def stage(repository: Repository, commit: str, paths: Iterable[str]) -> None:
    """Make the index have some files as a commit has them, and all else as it was.

    Args:
        repository: where.
        commit: has the files.
        paths: from the top of the work tree.

    Raises:
        StoreError: the index is locked, or cannot be written.
    """
    entries = b""
    for path in paths:
        entry = repository.entry(commit, path)
        assert entry is not None  # noqa: S101 - the caller committed it
        entries += f"{entry.mode} {entry.oid} 0\t".encode() + os.fsencode(path) + b"\0"
    repository.git.output(
        *("update-index", "-z", "--add", "--index-info"),
        stdin=entries,
        extra=_without_filters(repository),
    )


def _without_filters(repository: Repository) -> dict[str, str]:
    """Variables that switch off every filter that the configuration knows.

    Who writes an index looks again at files that changed within its own last second, through their
    filters. Without them a file looks changed at worst, until git looks itself.
    """
    git = repository.git
    listed = git.run("config", "--null", "--name-only", "--get-regexp", r"^filter\.").output
    settings: dict[str, str] = {}
    for key in map(os.fsdecode, listed.split(b"\0")[:-1]):
        driver, _, last = key.rpartition(".")
        if last in {"clean", "smudge", "process"}:
            settings |= {key: "", f"{driver}.required": "false"}
    # Not by `-c`, which ends the name of a driver at its first `=`.
    given = git.environ.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    extra = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        extra |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return extra
