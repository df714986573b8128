"""`pinner verify`: hash every blob of the store again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session


@command
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", help="Blobs at once. [default: all cores]"
)
@store_option
def verify(session: Session, *, jobs: int | None, store: Path | None) -> int:
    """Hash every blob of the store again.

    Every image is followed to its layers. Exit 1 where anything is corrupt or missing; the next
    sync fetches it anew.
    """
    from pinner.output.verify import render_verify, verify_fields  # noqa: PLC0415 - help does without
    from pinner.store.verify import verify as verify_store  # noqa: PLC0415

    started = session.clock.monotonic()
    with session.open_store(store, create=False) as opened:
        report = verify_store(opened, jobs=jobs or os.cpu_count() or 1)
    seconds = session.clock.monotonic() - started
    session.answer(render_verify(report, seconds=seconds), verify_fields(report))
    return 1 if report.findings else 0
