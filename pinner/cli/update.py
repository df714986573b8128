"""`pinner update`: move the lock to where tags point now, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pinner.cli.asking import Wish, ask, failures, update_options
from pinner.cli.comparing import Comparison, comparison_options
from pinner.cli.options import command, picked, store_option
from pinner.cli.project import LOCKFILE
from pinner.cli.publishing import PublishWish, publishing_options
from pinner.cli.rewriting import Rewriting, bytes_after, bytes_before, changing_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.cli.asking import Run
    from pinner.cli.context import Session
    from pinner.cli.project import Project
    from pinner.errors import PinnerError
    from pinner.files import Tree
    from pinner.git import Published, Refused


@command
@click.option("--dry-run", is_flag=True, help="Say what would move; do not write images.lock.")
@update_options
@comparison_options
@click.option(
    "--rewrite", is_flag=True, help="Put the digests into the files that name the images, too."
)
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write what changed to this file, in Markdown, as the body of a pull request.",
)
@publishing_options
@store_option
def update(
    session: Session,
    /,
    *,
    dry_run: bool,
    rewrite: bool,
    summary: Path | None,
    **given: Any,
) -> int:
    """Move the lock to where tags point now, and say what moved and what that fixes.

    An image that has not reached its minimum-age is held until it has. What fails keeps its pin.
    """
    project = session.project
    publishing = picked(PublishWish, given).open(session, dry_run=dry_run)
    writing = not dry_run and (publishing is None or publishing.writes_files)
    report = None if summary is None else _report_path(session, summary)
    spec = project.read_spec()
    run = ask(
        session, spec, picked(Wish, given), writing=writing, comparison=picked(Comparison, given)
    )
    rewriting = Rewriting(session=session, spec=spec, previous=run.previous) if rewrite else None
    tree = None if rewriting is None else rewriting.plan(run.result.lock)
    if publishing is not None:
        publishing.require_committed(bytes_before(tree))
    if writing:
        project.write(_files(project, run, tree), expected=bytes_before(tree))
    published: Sequence[Published | Refused] = ()
    if publishing is not None:
        changes = {change.name: change for change in run.changes}
        published = publishing.publish(
            run.result.outcomes,
            run.previous,
            run.result.lock,
            changes=changes,
            rewrite=None if rewriting is None else lambda lock: bytes_after(rewriting.plan(lock)),
        )
    answer = _Answer(run=run, dry_run=dry_run, wrote=writing, tree=tree, published=published)
    if report is not None:
        answer.write_summary(report)
    session.report([*failures(run.result), *answer.problems])
    session.answer(answer.text(), answer.fields())
    return max([run.result.exit_code, *(error.exit_code for error in answer.problems)])


def _files(project: Project, run: Run, tree: Tree | None) -> Mapping[Path, bytes]:
    """All that an update writes: the lockfile where it changed, and what is rewritten by it."""
    from pinner.lockfile import dumps  # noqa: PLC0415 - help does without

    lockfile = {project.lock_path: dumps(run.result.lock).encode()} if run.result.changed else {}
    return {**lockfile, **bytes_after(tree)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What an update has to tell."""

    run: Run
    dry_run: bool
    wrote: bool
    tree: Tree | None
    published: Sequence[Published | Refused]

    @property
    def problems(self) -> list[PinnerError]:
        """Files that could not be read, and why branches were left as they are."""
        from pinner.git import Refused  # noqa: PLC0415 - few runs make commits

        refused = [one.error for one in self.published if isinstance(one, Refused)]
        return [*(self.tree.problems if self.tree else ()), *refused]

    @property
    def files(self) -> list[str]:
        """What was written, by name."""
        if not self.wrote:
            return []
        lockfile = [LOCKFILE] if self.run.result.changed else []
        return [*lockfile, *(file.shown for file in changing_files(self.tree))]

    @property
    def places(self) -> list[str]:
        """What is others now, or would be: the lockfile, and each place that is rewritten."""
        lockfile = [LOCKFILE] if self.run.result.changed else []
        files = changing_files(self.tree)
        return [*lockfile, *(one.where for file in files for one in file.places if one.after)]

    def text(self) -> str:
        """For people."""
        from pinner.output.published import render_published  # noqa: PLC0415 - help does without
        from pinner.output.update import render_update  # noqa: PLC0415

        run = self.run
        told = render_update(
            run.result,
            changes=run.changes,
            now=run.now,
            wrote=self.files,
            rewritten=None if self.tree is None else len(self.places) - run.result.changed,
            dry_run=self.dry_run,
        )
        return told + render_published(self.published)

    def fields(self) -> dict[str, Any]:
        """For `--json`."""
        from pinner.output.published import published_fields  # noqa: PLC0415 - help does without
        from pinner.output.update import update_fields  # noqa: PLC0415

        run = self.run
        told = update_fields(
            run.result,
            changes=run.changes,
            requests=run.requests,
            wrote=self.files,
            dry_run=self.dry_run,
        )
        rewritten = self.places[run.result.changed :]
        return told | {
            "rewritten": rewritten,
            "published": published_fields(self.published),
        }

    def write_summary(self, path: Path) -> None:
        """Replace the file by the body of a pull request.

        Raises:
            StoreError: the disk refused.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - few runs write one

        from pinner.fsio import write_atomic  # noqa: PLC0415
        from pinner.output.summary import render_summary  # noqa: PLC0415

        run = self.run
        now = datetime.fromtimestamp(run.now, UTC)
        body = render_summary(run.result.outcomes, run.changes, files=self.places, now=now)
        write_atomic({path: body.encode()})


def _report_path(session: Session, given: Path) -> Path:
    """Where the summary goes; what cannot be replaced is refused before a registry is asked."""
    from pinner.errors import InputError  # noqa: PLC0415 - few runs write one
    from pinner.terminal import safe  # noqa: PLC0415

    path = session.project.seen_from / given
    if path.exists() and not path.is_file():
        raise InputError("is not a regular file", where=safe(str(given)), mend="name a file")
    if not path.parent.is_dir():
        raise InputError("its folder does not exist", where=safe(str(given)), mend="make it first")
    return path
