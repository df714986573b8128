"""`pinner init [PATH…]`: the images that the repository's files name -> a new images.toml."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, paths_argument, platform_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.cli.project import Project
    from pinner.oci.platform import Platform


@command
@paths_argument
@platform_option
@click.option("--print", "only_print", is_flag=True, help="Write nothing: print the images.toml.")
def init(
    session: Session, *, paths: tuple[Path, ...], platform: tuple[Platform, ...], only_print: bool
) -> int:
    """Begin an images.toml with the images that files name.

    Looks at the files that git knows below PATH, or below this folder. Each image gets an entry,
    with a comment on where it is used. An images.toml that is there is never overwritten. Exit 1
    where no file names an image. With --platform, only these platforms will be locked.
    """
    from pinner.files.tree import note_tree  # noqa: PLC0415 - help does without
    from pinner.output.start import Beginning, init_fields, render_init  # noqa: PLC0415
    from pinner.start.gather import passed_over, sightings_of  # noqa: PLC0415
    from pinner.start.propose import propose  # noqa: PLC0415
    from pinner.start.write import render_spec  # noqa: PLC0415

    project = session.project
    if not only_print:
        require_no_spec(project)
    tree = note_tree(
        project.folder,
        paths=[project.seen_from / path for path in paths],
        seen_from=project.seen_from,
        environ=session.runtime.environ,
    )
    sightings = sightings_of(tree)
    proposals = propose(sightings)
    text = render_spec(proposals, platforms=platform) if proposals else ""
    writes = bool(proposals) and not only_print
    if writes:
        data = text.encode()
        project.parse_spec(data)  # what pinner could not read again is not written
        project.write({project.spec_path: data})
    found = Beginning(
        proposals=proposals,
        places=len(sightings),
        files=len({one.where.rpartition(":")[0] for one in sightings}),
        looked_at=tree.looked_at,
        skipped=passed_over(tree),
        problems=tree.problems,
        wrote=[project.spec_path.name] if writes else [],
        text=text,
    )
    session.report(tree.problems)
    session.answer(text if text and only_print else render_init(found), init_fields(found))
    if tree.problems:
        return 2
    return 0 if proposals else 1


def require_no_spec(project: Project) -> None:
    """Make sure that nothing is overwritten, also by a link that leads nowhere.

    Raises:
        InputError: there is an images.toml.
    """
    from pinner.errors import InputError  # noqa: PLC0415 - help does without

    if os.path.lexists(project.spec_path):
        raise InputError(
            "is there already, and is not overwritten",
            where=project.shown(project.spec_path),
            mend=(
                "`pinner check` says what it lacks, `pinner add IMAGE` adds to it",
                "`pinner init --print` shows what a new one would be",
            ),
        )
