"""`pinner sync`: images.lock -> the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, entry_names, jobs_option, platform_option, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.oci.platform import Platform


@command
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=entry_names)
@platform_option
@click.option("--all-platforms", is_flag=True, help="Fetch every locked platform.")
@click.option("--frozen", is_flag=True, help="Take images.lock as it is, stale or not.")
@click.option("--offline", is_flag=True, help="Ask no registry: exit 1 if anything is missing.")
@jobs_option
@store_option
def sync(
    session: Session,
    *,
    names: tuple[str, ...],
    platform: tuple[Platform, ...],
    all_platforms: bool,
    frozen: bool,
    offline: bool,
    jobs: int | None,
    store: Path | None,
) -> int:
    """Make the store hold exactly the locked digests.

    Tags are never asked for, and nothing at all is asked where the store has everything. The
    platform is linux on this machine's architecture unless said otherwise.
    """
    from pinner.cli.fresh import require_fresh  # noqa: PLC0415 - help does without
    from pinner.outcome import Failed, exit_code  # noqa: PLC0415
    from pinner.output.sync import render_sync, sync_fields  # noqa: PLC0415
    from pinner.sync import OfflineSource, run_sync, select_images  # noqa: PLC0415

    if all_platforms and platform:
        raise click.UsageError("--platform and --all-platforms exclude each other")
    lock = session.project.require_lock()
    spec = session.project.read_spec()
    require_fresh(spec, lock, frozen=frozen, command="sync")
    platforms = None if all_platforms else (platform or (session.host_platform,))
    wanted = select_images(lock, names=names, platforms=platforms)
    started = session.clock.monotonic()
    with (
        session.open_store(store) as target,
        session.registry(spec.registries, jobs=jobs) as registry,
        session.watch() as progress,
    ):
        result = run_sync(
            wanted,
            target,
            OfflineSource if offline else registry.open,
            progress=progress,
            clock=session.clock,
            jobs=registry.jobs,
        )
        requests = registry.counts.total()
    for warning in result.warnings:
        session.warn(warning)
    session.report(outcome.error for outcome in result.outcomes if isinstance(outcome, Failed))
    seconds = session.clock.monotonic() - started
    session.answer(
        lambda: render_sync(result, requests=requests, seconds=seconds),
        lambda: sync_fields(result, requests=requests),
    )
    return exit_code(result.outcomes)
