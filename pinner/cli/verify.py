"""`pinner verify`: hash every blob of the store again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.store.layout import Store


@command
@click.option("--repair", is_flag=True, help="Fetch anew what is corrupt or missing.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Blobs at once. [default: all cores; connections: 8]",
)
@store_option
def verify(session: Session, *, repair: bool, jobs: int | None, store: Path | None) -> int:
    """Hash every blob of the store again.

    Every image is followed to its layers. Exit 1 where anything is corrupt or missing. --repair
    fetches that anew, by digest, from the repositories that the images' names say; what is wrong
    stays in its place until the right bytes replace it.
    """
    from pinner.output.verify import render_verify, verify_fields  # noqa: PLC0415 - help does without
    from pinner.store.verify import verify as verify_store  # noqa: PLC0415

    started = session.clock.monotonic()
    cores = jobs or os.cpu_count() or 1
    with session.open_store(store, create=False) as opened:
        if repair:
            return _repair(session, opened, jobs=jobs, cores=cores)
        report = verify_store(opened, jobs=cores)
    seconds = session.clock.monotonic() - started
    session.answer(render_verify(report, seconds=seconds), verify_fields(report))
    return 1 if report.findings else 0


def _repair(session: Session, store: Store, *, jobs: int | None, cores: int) -> int:
    from pinner.outcome import Failed, exit_code  # noqa: PLC0415 - as above
    from pinner.output.verify import render_repair, repair_fields  # noqa: PLC0415
    from pinner.sync.repair import run_repair  # noqa: PLC0415

    started = session.clock.monotonic()
    project = session.project
    configs = project.read_spec().registries if project.spec_path.exists() else ()
    with session.registry(configs, jobs=jobs) as registry, session.watch() as progress:
        repair = run_repair(
            store,
            registry.open,
            progress=progress,
            clock=session.clock,
            jobs=registry.jobs,
            hash_jobs=cores,
        )
    seconds = session.clock.monotonic() - started
    session.report(one.error for one in repair.failed)
    session.answer(render_repair(repair, seconds=seconds), repair_fields(repair))
    code = exit_code(
        Failed(name=str(one.broken.descriptor.digest), error=one.error) for one in repair.failed
    )
    return code or (1 if repair.report.findings else 0)
