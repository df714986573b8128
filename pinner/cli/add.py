"""`pinner add [NAME=]REF…`: more entries for images.toml, locked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinner.cli.lock import run_lock
from pinner.cli.options import command, jobs_option

if TYPE_CHECKING:
    from pinner.cli.context import Session


@command
@click.argument("references", nargs=-1, required=True, metavar="[NAME=]REF...")
@jobs_option
def add(session: Session, *, references: tuple[str, ...], jobs: int | None) -> int:
    """Add images to images.toml and lock them.

    Each is named after its repository unless NAME= says otherwise. Comments and order stay. Nothing
    is written unless every image can be locked; without an images.toml, one is begun here.
    """
    from pinner.spec.edit import Addition, add_entry  # noqa: PLC0415 - help does without

    additions = [Addition.parse(reference) for reference in references]
    project = session.project
    text = project.spec_text()
    for addition in additions:
        text = add_entry(text, addition, path=project.shown(project.spec_path))
    data = text.encode()
    return run_lock(
        session, project.parse_spec(data), project.read_lock(), jobs=jobs, new_spec=data
    )
