"""`pinner rewrite`: the locked digests -> the project's files."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, one_platform_option, paths_argument

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.files.model import Tree
    from pinner.oci.platform import Platform


@command
@paths_argument
@click.option("--check", is_flag=True, help="Write nothing: exit 1 if something would change.")
@click.option("--diff", is_flag=True, help="Write nothing: show the lines that would change.")
@click.option("--unpin", is_flag=True, help="Take digests away and leave the tags.")
@one_platform_option("Write this platform's digests instead of those for all platforms.")
def rewrite(
    session: Session,
    *,
    paths: tuple[Path, ...],
    check: bool,
    diff: bool,
    unpin: bool,
    platform: Platform | None,
) -> int:
    """Put the locked digests into the files that name images.

    Looks at the files that git knows below PATH, or below the project's folder. The tag stays, the
    digest goes behind it, and every other byte of a file stays. What cannot be pinned for certain
    is listed and left as it is.
    """
    from pinner.cli.failures import Usage  # noqa: PLC0415 - help does without
    from pinner.files.model import Status  # noqa: PLC0415
    from pinner.output.rewrite import (  # noqa: PLC0415
        changing,
        left,
        render_rewrite,
        rewrite_fields,
    )

    if unpin and platform is not None:
        raise Usage("--unpin takes digests away, so --platform says nothing")
    tree = _unpinning(session, paths) if unpin else _pinning(session, paths, platform)
    wrote = not (check or diff)
    if wrote:
        from pinner.files.apply import apply_plans  # noqa: PLC0415 - only here

        apply_plans(tree)
    session.report(tree.problems)
    session.answer(
        render_rewrite(tree, diff=diff, wrote=wrote, unpin=unpin),
        rewrite_fields(tree, wrote=wrote),
    )
    if tree.problems:
        return 2
    waits = any(place.status is Status.STALE for place in left(tree))
    return int(waits or (check and bool(changing(tree))))


def _pinning(session: Session, paths: tuple[Path, ...], platform: Platform | None) -> Tree:
    from pinner.files.previous import committed_lock  # noqa: PLC0415 - help does without
    from pinner.files.tree import plan_tree  # noqa: PLC0415

    project, environ = session.project, session.runtime.environ
    return plan_tree(
        project.folder,
        project.read_spec(),
        project.require_lock(),
        previous=functools.partial(committed_lock, project.lock_path, environ=environ),
        paths=[project.seen_from / path for path in paths],
        platform=platform,
        seen_from=project.seen_from,
        environ=environ,
    )


def _unpinning(session: Session, paths: tuple[Path, ...]) -> Tree:
    from pinner.files.tree import plan_unpinning  # noqa: PLC0415 - help does without

    project = session.project
    return plan_unpinning(
        project.folder,
        project.read_spec(),
        paths=[project.seen_from / path for path in paths],
        seen_from=project.seen_from,
        environ=session.runtime.environ,
    )
