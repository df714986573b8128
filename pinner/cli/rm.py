"""`pinner rm NAME…`: take names out of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session


@command
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@store_option
def rm(session: Session, *, names: tuple[str, ...], store: Path | None) -> int:
    """Take names out of the store.

    Only names go: the blobs are free for `pinner prune` then, unless another name needs them. A
    name whose image is an index takes the names by digest of its platforms along. images.toml and
    images.lock stay as they are; `pinner remove` takes entries out of those.
    """
    from pinner.outcome import Failed, exit_code  # noqa: PLC0415 - help does without
    from pinner.output.naming import render_rm, rm_fields  # noqa: PLC0415
    from pinner.store.naming import NoSuchName, untag  # noqa: PLC0415

    with session.existing_store(store) as opened:
        gone, missing = untag(opened, names) if opened else ([], list(map(NoSuchName, names)))
    session.report(missing)
    session.answer(render_rm(gone), rm_fields(gone, missing))
    return exit_code([Failed(name="", error=error) for error in missing])
