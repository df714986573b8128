"""`pinner lock`: images.toml -> images.lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, jobs_option

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.lockfile import Lock
    from pinner.registry.client import RegistryClient
    from pinner.resolve import LockResult
    from pinner.spec import Spec


@command
@click.option("--check", is_flag=True, help="Ask no registry: exit 1 if images.lock is stale.")
@jobs_option
def lock(session: Session, *, check: bool, jobs: int | None) -> int:
    """Lock the images of images.toml to digests.

    A pin that still satisfies images.toml is kept and costs no request. images.lock is written
    only when every image could be locked.
    """
    if check:
        from pinner.cli.lockcheck import check_lock  # noqa: PLC0415 - only with `--check`

        return check_lock(session)
    project = session.project
    return run_lock(session, project.read_spec(), project.read_lock(), jobs=jobs)


def run_lock(
    session: Session,
    spec: Spec,
    previous: Lock | None,
    *,
    jobs: int | None,
    new_spec: bytes | None = None,
) -> int:
    """Resolve, write images.lock if it changed, and report; `add` and `remove` end here too.

    Args:
        session: the run.
        spec: what to lock.
        previous: what is locked.
        jobs: connections at once, where the command line says so.
        new_spec: the images.toml that `spec` was read from, where it is to be written; like
            images.lock, it is written only when everything could be locked.
    """
    from pinner.lockfile import dumps  # noqa: PLC0415 - `--check` does without
    from pinner.outcome import Failed, exit_code  # noqa: PLC0415
    from pinner.output.lock import lock_fields, render_lock  # noqa: PLC0415
    from pinner.resolve import lock_images  # noqa: PLC0415

    project = session.project
    paths = [project.lock_path] if new_spec is None else [project.spec_path, project.lock_path]
    started = session.clock.monotonic()
    with session.registry(spec.registries, jobs=jobs) as registry:

        def open_registry() -> RegistryClient:
            project.require_writable(paths)  # nothing is asked for what could not be kept
            return registry.open()

        result: LockResult = lock_images(spec, previous, open_registry, jobs=registry.jobs)
        requests = registry.counts["manifest"]
    files: dict[Path, bytes] = {}
    if result.lock is not None and new_spec is not None:
        files[project.spec_path] = new_spec
    if result.lock is not None and (result.changed or previous is None):
        files[project.lock_path] = dumps(result.lock).encode()
    project.write(files)
    wrote = [path.name for path in files]
    session.report(outcome.error for outcome in result.outcomes if isinstance(outcome, Failed))
    seconds = session.clock.monotonic() - started
    session.answer(
        render_lock(result, requests=requests, seconds=seconds, wrote=wrote),
        lock_fields(result, requests=requests, wrote=wrote),
    )
    return exit_code(result.outcomes)
