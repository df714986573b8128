"""`pinner prune`: remove from the store what nothing needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, parse_age, store_option
from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from pinner.cli.context import Session
    from pinner.store.prune import Keep, PruneWish


@command
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@click.option(
    "--older-than",
    metavar="D",
    callback=parse_age,
    help="Leave what was fetched within this time, such as 3d. [default: any age; partial "
    "downloads: 1d]",
)
@click.option(
    "--keep-lock",
    "lockfiles",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Keep what this images.lock names, and drop every name that is in none given; may be "
    "given again.",
)
@store_option
def prune(
    session: Session,
    *,
    dry_run: bool,
    older_than: timedelta | None,
    lockfiles: tuple[Path, ...],
    store: Path | None,
) -> int:
    """Remove from the store what nothing needs.

    That is what no name reaches: layers of images whose tag moved on or was removed, and downloads
    that nobody came back for. What a running pinner needs stays. With --keep-lock, names go as
    well: all that the given lockfiles do not have.
    """
    from pinner.output.prune import prune_fields, render_prune  # noqa: PLC0415 - help does without
    from pinner.store.prune import Pruned  # noqa: PLC0415
    from pinner.store.prune import prune as prune_store  # noqa: PLC0415

    wish = _wish(_keep(session, lockfiles), older_than)
    with session.existing_store(store) as opened:
        if opened is None:
            pruned = Pruned(names=(), blobs=(), partials=())
        else:
            pruned = prune_store(opened, wish, now=session.clock.now(), dry_run=dry_run)
    session.answer(render_prune(pruned, dry_run=dry_run), prune_fields(pruned, dry_run=dry_run))
    return 0


def _wish(keep: Keep | None, older_than: timedelta | None) -> PruneWish:
    from pinner.store.prune import PARTIALS_STAY, PruneWish  # noqa: PLC0415 - as above

    if older_than is None:
        return PruneWish(keep=keep, partials_older_than=PARTIALS_STAY)
    seconds = older_than.total_seconds()
    return PruneWish(keep=keep, older_than=seconds, partials_older_than=seconds)


def _keep(session: Session, lockfiles: Sequence[Path]) -> Keep | None:
    """What the given lockfiles name; None where none is given."""
    if not lockfiles:
        return None
    from pinner.cli.project import LOCKFILE_LIMIT  # noqa: PLC0415 - only where it is asked for
    from pinner.fsio import read_limited  # noqa: PLC0415
    from pinner.lockfile import loads  # noqa: PLC0415
    from pinner.sync.keep import kept_by  # noqa: PLC0415

    locks = []
    for path in lockfiles:
        try:
            data = read_limited(session.project.seen_from / path, LOCKFILE_LIMIT)
        except FileNotFoundError as error:
            raise InputError(
                "is not there: nothing was removed",
                where=safe(str(path)),
                mend="give the path of an images.lock",
            ) from error
        locks.append(loads(data, path=safe(str(path))))
    return kept_by(locks)
