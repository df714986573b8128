"""`pinner pull NAME[:TAG|@DIGEST]…`: what `docker pull` does, into the store."""

from __future__ import annotations

import contextlib
import copy
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command, store_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pinner.cli.context import Session
    from pinner.errors import PinnerError
    from pinner.oci.platform import Platform
    from pinner.oci.registryconfig import RegistryConfig
    from pinner.outcome import Failed
    from pinner.output.pulling import LivePull, PlainPull, QuietPull
    from pinner.pull import PullResult, Wish

    Display = AbstractContextManager[LivePull | PlainPull | QuietPull]


@command
@click.argument("names", nargs=-1, metavar="NAME[:TAG|@DIGEST]...")
@click.option("-a", "--all-tags", is_flag=True, help="Pull every tag of the repository.")
@click.option(
    "--platform",
    multiple=True,
    metavar="P",
    help="A platform such as linux/arm64; may be given again.",
)
@click.option(
    "--jobs",
    "--max-concurrent-downloads",
    "jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Connections at once. [default: 8]",
)
@store_option
def pull(
    session: Session,
    *,
    names: tuple[str, ...],
    all_tags: bool,
    platform: tuple[str, ...],
    jobs: int | None,
    store: Path | None,
) -> int:
    """Pull images into the store by name, as `docker pull` does.

    No daemon is needed, and what the store has is not fetched again. The platform is that of
    DOCKER_DEFAULT_PLATFORM, else linux on this machine's architecture, unless said otherwise.
    """
    from pinner.outcome import exit_code  # noqa: PLC0415 - help does without
    from pinner.output.pull import pull_fields, render_names  # noqa: PLC0415
    from pinner.pull import parse_wishes, run_pull  # noqa: PLC0415

    if not names:
        raise click.UsageError("'pinner pull' requires at least 1 argument")
    wishes = parse_wishes(names, all_tags=all_tags)
    platforms = _platforms(session, platform)
    begun = _say_default_tag(session, wishes[0])
    with (
        session.open_store(store) as target,
        session.registry(_project_registries(session), jobs=jobs) as registry,
        session.watched_by(_display(session, begun=begun)) as progress,
    ):
        result = run_pull(
            wishes,
            target,
            registry.open,
            platforms=platforms,
            progress=progress,
            clock=session.clock,
            jobs=registry.jobs,
            is_mirrored=registry.is_mirrored,
        )
        progress.drain()
        requests = registry.counts.total()
    _say_rest(session, result)
    text = render_names(result) if session.options.quiet else ""
    session.answer(text, pull_fields(result, requests=requests))
    return exit_code(result.outcomes)


def _platforms(session: Session, given: Sequence[str]) -> tuple[Platform, ...]:
    from pinner.pull import parse_platforms  # noqa: PLC0415 - help does without

    default = session.runtime.environ.get("DOCKER_DEFAULT_PLATFORM")
    return parse_platforms(given, default, session.host_platform)


def _project_registries(session: Session) -> tuple[RegistryConfig, ...]:
    """What the project's images.toml says of registries, if there is a project here."""
    project = session.project
    return project.read_spec().registries if project.spec_path.exists() else ()


def _say_default_tag(session: Session, first: Wish) -> bool:
    """Say at once, as docker does, that the first name has no tag; whether it was said."""
    from pinner.output.pulltale import default_tag_line  # noqa: PLC0415 - help does without

    if not first.defaulted or not _tells(session):
        return False
    session.runtime.console.result(default_tag_line())
    return True


def _tells(session: Session) -> bool:
    return not session.options.quiet and not session.options.json


def _display(session: Session, *, begun: bool) -> Display:
    from pinner.output import pulling  # noqa: PLC0415 - help does without

    console = session.runtime.console
    if session.options.quiet:
        return contextlib.nullcontext(pulling.QuietPull())
    tell = _teller(session) if _tells(session) else None
    monotonic = session.clock.monotonic
    if not console.moving:
        return pulling.PlainPull(console.err, monotonic, tell=tell, begun=begun)
    return pulling.LivePull(
        console.err,
        monotonic,
        colour=console.colourful_err,
        tell=tell,
        brief=console.one_terminal,
        begun=begun,
    )


def _teller(session: Session) -> Callable[[str], None]:
    """Writes lines to stdout; who reads no more is noticed by the next result, in the end."""
    from pinner.cli.console import ClosedOutput  # noqa: PLC0415 - help does without
    from pinner.errors import StoreError  # noqa: PLC0415

    def tell(text: str) -> None:
        with contextlib.suppress(ClosedOutput, StoreError):
            session.runtime.console.result(text)

    return tell


def _say_rest(session: Session, result: PullResult) -> None:
    """Warnings, tags that were passed over, and failures: on stderr."""
    for warning in result.warnings:
        session.warn(warning)
    for skipped in result.skipped:
        session.warn(f"{skipped.name} is no image, left out: {skipped.reason}")
    if len(result.outcomes) > 1:
        session.report(_placed(result.failed))
    else:
        session.report(failed.error for failed in result.failed)


def _placed(failures: Iterable[Failed]) -> Iterable[PinnerError]:
    """Among several references, an error that names none is told with its own."""
    for outcome in failures:
        error = copy.copy(outcome.error)  # one blob may have failed several
        if not error.where and outcome.name not in error.what:
            error.where = outcome.name
        yield error
