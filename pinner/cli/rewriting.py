"""The project's files as a lock would have them: what `update --rewrite` writes beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.files import PlannedFile, Tree
    from pinner.lockfile import Lock
    from pinner.spec import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """Puts locks into the files of a project.

    Attributes:
        previous: the lock that the files may still be pinned by; None where there was none.
    """

    session: Session
    spec: Spec
    previous: Lock | None

    def plan(self, lock: Lock) -> Tree:
        """What the files say and will say.

        Raises:
            StoreError: git cannot list the files.
        """
        from pinner.files import plan_tree  # noqa: PLC0415 - only with `--rewrite`

        project = self.session.project
        return plan_tree(
            project.folder,
            self.spec,
            lock,
            previous=lambda: self.previous,
            seen_from=project.seen_from,
            environ=self.session.runtime.environ,
        )


def changing_files(tree: Tree | None) -> list[PlannedFile]:
    """The files that will be written; none without a plan."""
    return [] if tree is None else [file for file in tree.files if file.changes]


def bytes_before(tree: Tree | None) -> Mapping[Path, bytes]:
    """What the files that will be written hold now."""
    return {file.path: file.before for file in changing_files(tree)}


def bytes_after(tree: Tree | None) -> Mapping[Path, bytes]:
    """What the files that will be written will hold."""
    return {file.path: file.after for file in changing_files(tree)}
