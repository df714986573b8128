"""`pinner diff [OLD] [NEW]`: what changed between two lockfiles, and inside the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pinner.cli.comparing import Comparison, compare, comparison_options
from pinner.cli.options import command, jobs_option, picked, store_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.cli.context import Session
    from pinner.compare.model import ImageChange
    from pinner.oci.registryconfig import RegistryConfig


@command
@click.argument("old", default="HEAD", metavar="[OLD]")
@click.argument("new", required=False, metavar="[NEW]")
@comparison_options
@click.option("--markdown", is_flag=True, help="Print Markdown, as for a pull request.")
@jobs_option
@store_option
def diff(
    session: Session,
    /,
    *,
    old: str,
    new: str | None,
    markdown: bool,
    jobs: int | None,
    **given: Any,
) -> int:
    """Show what changed between two lockfiles, and inside their images.

    OLD and NEW are paths of lockfiles or git revisions. OLD is HEAD unless said otherwise, NEW the
    images.lock of this folder. No registry is asked without --fetch.
    """
    from pinner.output.diff import diff_fields, render_diff  # noqa: PLC0415 - help does without

    if markdown and session.options.json:
        raise click.UsageError("--markdown and --json exclude each other")
    before, after, changes = _changes(session, old, new)
    if changes:
        with session.registry(_registries(session), jobs=jobs) as registry:
            changes = compare(
                session,
                changes,
                picked(Comparison, given),
                open_source=registry.open,
                jobs=registry.jobs,
                asks=False,
            )
    session.answer(
        lambda: (
            _markdown(session, changes) if markdown else render_diff(changes, old=before, new=after)
        ),
        lambda: diff_fields(changes, old=before, new=after),
    )
    return 0


def _changes(session: Session, old: str, new: str | None) -> tuple[str, str, Sequence[ImageChange]]:
    """How the user knows the two lockfiles, and which pins differ; what does not is let go."""
    from pinner.cli.lockat import lock_at, working_lock  # noqa: PLC0415 - help does without
    from pinner.compare.locks import changed_images  # noqa: PLC0415

    before = lock_at(session, old)
    after = working_lock(session) if new is None else lock_at(session, new)
    return before.name, after.name, changed_images(before.lock, after.lock)


def _registries(session: Session) -> Sequence[RegistryConfig]:
    """What images.toml says of registries; two lockfiles may be compared without one."""
    project = session.project
    return project.read_spec().registries if project.spec_path.exists() else ()


def _markdown(session: Session, changes: Sequence[ImageChange]) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - only with `--markdown`

    from pinner.output.summary import render_changes  # noqa: PLC0415

    return render_changes(changes, now=datetime.fromtimestamp(session.clock.now(), UTC))
