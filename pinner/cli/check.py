"""`pinner check`: images.toml, images.lock and the project's files -> findings."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, jobs_option, paths_argument

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.check import CheckResult, RemoteImage
    from pinner.cli.context import Session
    from pinner.errors import PinnerError
    from pinner.lockfile import Lock
    from pinner.spec import Spec


@command
@paths_argument
@click.option("--lenient", is_flag=True, help="Pass what cannot be resolved or is not known.")
@click.option(
    "--remote", is_flag=True, help="Also ask registries: is it still served, has its tag moved?"
)
@jobs_option
def check(
    session: Session, *, paths: tuple[Path, ...], lenient: bool, remote: bool, jobs: int | None
) -> int:
    """Check that every image reference in the project's files is pinned as locked.

    Offline unless --remote is given. Looks at the files that git knows below PATH, or below the
    project's folder. Exits with 1 where images.lock is stale, where a reference is not pinned as
    it says, and where one is unknown.
    """
    from pinner.check.judge import judge  # noqa: PLC0415 - help does without
    from pinner.files.previous import committed_lock  # noqa: PLC0415
    from pinner.files.tree import plan_tree  # noqa: PLC0415
    from pinner.output.findings import findings_fields, render_findings  # noqa: PLC0415
    from pinner.output.remote import remote_fields, render_remote  # noqa: PLC0415

    project = session.project
    spec = project.read_spec()
    lock = project.require_lock()
    environ = session.runtime.environ
    tree = plan_tree(
        project.folder,
        spec,
        lock,
        previous=functools.partial(committed_lock, project.lock_path, environ=environ),
        paths=[project.seen_from / path for path in paths],
        seen_from=project.seen_from,
        environ=environ,
    )
    result = judge(spec, lock, tree, lenient=lenient)
    text, fields, code = render_findings(result), findings_fields(result), result.exit_code
    errors: list[PinnerError] = [*tree.problems]
    images = _ask(session, spec, lock, jobs) if remote else ()
    if remote:
        text += render_remote(images)
        fields["remote"] = remote_fields(images)
        code = max(code, *(one.exit_code for one in images), 0)
        fields["green"] = code == 0
        errors += [one.error for one in images if one.error is not None]
    session.report(errors)
    session.answer(_annotated(session, result, images, text), fields)
    return code


def _ask(session: Session, spec: Spec, lock: Lock, jobs: int | None) -> tuple[RemoteImage, ...]:
    from pinner.check.remote import ask_registries  # noqa: PLC0415 - only with `--remote`

    with session.registry(spec.registries, jobs=jobs) as registry:
        return ask_registries(spec, lock, registry.open(), jobs=registry.jobs)


def _annotated(
    session: Session, result: CheckResult, images: tuple[RemoteImage, ...], text: str
) -> str:
    """The text; in a run of GitHub's runner with a command for each finding in front."""
    from pinner.output import annotations  # noqa: PLC0415 - only here

    environ = session.runtime.environ
    if not annotations.wanted(environ):
        return text
    lockfile = str(session.project.lock_path.resolve())
    commands = annotations.render_annotations(result, images, lockfile, environ)
    return commands + annotations.tamed(text)
