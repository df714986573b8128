"""`pinner remove NAME…`: entries out of images.toml and images.lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinner.cli.lock import run_lock
from pinner.cli.options import command, entry_names, jobs_option

if TYPE_CHECKING:
    from pinner.cli.context import Session


@command
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=entry_names)
@jobs_option
def remove(session: Session, *, names: tuple[str, ...], jobs: int | None) -> int:
    """Remove images from images.toml and images.lock.

    Comments and order of the others stay. What the store holds stays too.
    """
    from pinner.spec.edit import remove_entry  # noqa: PLC0415 - help does without

    project = session.project
    text = project.spec_text()
    for name in names:
        text = remove_entry(text, name, path=project.shown(project.spec_path))
    data = text.encode()
    return run_lock(
        session, project.parse_spec(data), project.read_lock(), jobs=jobs, new_spec=data
    )
