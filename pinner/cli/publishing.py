"""`--commit` and `--branch`: an update as commits of git.

    wish = PublishWish(…)                 what the command line says
    publishing = wish.open(session)       all that could refuse, before a registry is asked
    publishing.publish(outcomes, …)       the commits

With `--branch` the new files are on that branch alone, so the command writes none of its own; with
`--commit` it writes first, and commits what it wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.cli.project import Project
    from pinner.compare.model import ImageChange
    from pinner.git import Published, Publisher, Refused
    from pinner.lockfile import Lock
    from pinner.update.model import UpdateOutcome
    from pinner.update.proposals import Grouping

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_EMPTY_WITHOUT_BRANCH = {"base": "--base", "group_by": "--group-by", "force": "--force"}


def publishing_options(function: _Function) -> _Function:
    """`--commit`, `--branch`, `--base`, `--group-by` and `--force`, in the order of help."""
    decorators = (
        click.option("--commit", is_flag=True, help="Commit what was written, and nothing else."),
        click.option(
            "--branch",
            metavar="NAME",
            help="Commit to this branch, made anew; files and branch that you are on stay.",
        ),
        click.option("--base", metavar="REV", help="What --branch starts from. [default: HEAD]"),
        click.option(
            "--group-by",
            type=click.Choice(["all", "image"]),
            help="One branch for all images, or NAME/IMAGE for each. [default: all]",
        ),
        click.option(
            "--force", is_flag=True, help="Drop commits on --branch that pinner did not make."
        ),
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishWish:
    """What the command line says of commits; the fields are the options' parameters."""

    commit: bool = False
    branch: str | None = None
    base: str | None = None
    group_by: str | None = None
    force: bool = False

    def open(self, session: Session, *, dry_run: bool = False) -> Publishing | None:
        """Make sure that the commits can be made; None where none are wanted.

        Raises:
            Usage: the options contradict each other.
            InputError: the project is in no git repository, or as `Publisher.open` says.
            AnswerNo: the branch has commits that pinner did not make.
        """
        self._check(dry_run=dry_run)
        if self.branch is None and not self.commit:
            return None
        from pinner.errors import InputError  # noqa: PLC0415 - most runs do without git
        from pinner.git import Destination, Publisher, Repository  # noqa: PLC0415
        from pinner.update.proposals import Grouping  # noqa: PLC0415

        project = session.project
        repository = Repository.find(project.folder, environ=session.runtime.environ)
        if repository is None:
            raise InputError(
                "is in no git repository",
                where=project.shown(project.folder),
                mend="`git init` makes one; without `--branch` and `--commit` none is needed",
            )
        publisher = Publisher.open(
            repository,
            Destination(branch=self.branch, base=self.base or "HEAD", force=self.force),
            read={path: _read(path) for path in (project.spec_path, project.lock_path)},
            now=session.clock.now,
        )
        return Publishing(
            publisher=publisher,
            project=project,
            grouping=Grouping(self.group_by or Grouping.ALL.value),
        )

    def _check(self, *, dry_run: bool) -> None:
        from pinner.cli.failures import Usage  # noqa: PLC0415 - as above

        if self.commit and self.branch is not None:
            raise Usage("--commit and --branch exclude each other")
        if dry_run and (self.commit or self.branch is not None):
            raise Usage("--dry-run changes nothing, so it does not commit either")
        for name, option in _EMPTY_WITHOUT_BRANCH.items():
            if self.branch is None and getattr(self, name):
                raise Usage(f"{option} needs --branch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """Commits that can be made."""

    publisher: Publisher
    project: Project
    grouping: Grouping

    @property
    def writes_files(self) -> bool:
        """Whether the command writes its files itself, before `publish`: it does on `--commit`."""
        return self.publisher.destination.branch is None

    def require_committed(self, files: Mapping[Path, bytes]) -> None:
        """Make sure that files that will be rewritten are as git has them.

        Raises:
            InputError: one has changes that a commit would hold too.
        """
        self.publisher.require_committed(files)

    def publish(
        self,
        outcomes: Iterable[UpdateOutcome],
        previous: Lock | None,
        lock: Lock,
        *,
        changes: Mapping[str, ImageChange] | None = None,
        rewrite: Callable[[Lock], Mapping[Path, bytes]] | None = None,
    ) -> Sequence[Published | Refused]:
        """Commit what an update came to.

        Args:
            outcomes: what became of the entries.
            previous: the lock that the update started from; None where there was none.
            lock: the one that it came to.
            changes: what is known of an entry's two images, by name.
            rewrite: the files that a lock changes, beside images.lock.

        Returns:
            What became of each commit; none where nothing moved. A `Refused` is to be reported,
            and its error's exit code counts.
        """
        from pinner.lockfile import Lock, dumps  # noqa: PLC0415 - as above
        from pinner.update.proposals import plan_proposals  # noqa: PLC0415

        def write(lock: Lock) -> Mapping[Path, bytes]:
            rewritten = {} if rewrite is None else rewrite(lock)
            return {
                self.project.lock_path: dumps(lock).encode(),
                **{path: self.publisher.as_committed(path, rewritten[path]) for path in rewritten},
            }

        proposals = plan_proposals(
            outcomes, previous or Lock(), lock, write, grouping=self.grouping, changes=changes
        )
        return self.publisher.publish(proposals)


def _read(path: Path) -> bytes | None:
    from pinner.cli.project import LOCKFILE_LIMIT  # noqa: PLC0415 - as above
    from pinner.fsio import read_limited  # noqa: PLC0415

    try:
        return read_limited(path, LOCKFILE_LIMIT)
    except FileNotFoundError:
        return None
