"""`pinner update`: move the lock to where tags point now, on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pinner.cli.options import command, entry_names, jobs_option

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from pinner.cli.context import Session
    from pinner.errors import PinnerError
    from pinner.registry.client import RegistryClient
    from pinner.spec import Spec
    from pinner.update import UpdateResult

_SEEN: Final = "seen.json"
_Function = TypeVar("_Function", bound="Callable[..., Any]")


def _parse_age(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    from pinner.spec.duration import InvalidDuration, parse_duration  # noqa: PLC0415

    if value is None:
        return None
    try:
        return parse_duration(value)
    except InvalidDuration as error:
        raise click.BadParameter(error.what, ctx, param) from error


def update_options(function: _Function) -> _Function:
    """What `update` and `outdated` share: the entries, `--minimum-age`, `--seen`, `--jobs`."""
    decorators = (
        click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=entry_names),
        click.option(
            "--minimum-age",
            metavar="D",
            callback=_parse_age,
            help="Take images of this age, such as 3d, whatever images.toml says.",
        ),
        click.option(
            "--seen",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Remember which digests tags named in this file instead of the user's own.",
        ),
        jobs_option,
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


@command
@click.option("--dry-run", is_flag=True, help="Say what would move; do not write images.lock.")
@update_options
def update(
    session: Session,
    *,
    names: tuple[str, ...],
    dry_run: bool,
    minimum_age: timedelta | None,
    seen: Path | None,
    jobs: int | None,
) -> int:
    """Move the lock to where tags point now, and say what moved.

    An image that has not reached its minimum-age is held until it has. What fails keeps its pin.
    """
    from pinner.lockfile import dumps  # noqa: PLC0415 - help does without
    from pinner.output.update import render_update, update_fields  # noqa: PLC0415

    project = session.project
    wish = Wish(names=names, minimum_age=minimum_age, seen=seen, jobs=jobs)
    spec = project.read_spec()
    run = ask(session, spec, wish, writing=not dry_run)
    files = {}
    if run.result.changed and not dry_run:
        files[project.lock_path] = dumps(run.result.lock).encode()
    project.write(files)
    wrote = [path.name for path in files]
    session.report(failures(run.result))
    session.answer(
        render_update(run.result, now=run.now, wrote=wrote, dry_run=dry_run),
        update_fields(run.result, requests=run.requests, wrote=wrote, dry_run=dry_run),
    )
    return run.result.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line says of an update.

    Attributes:
        names: the entries; empty for all.
        minimum_age: in place of what images.toml says; None leaves it to that.
        seen: the observation log's file; None for the user's own.
        jobs: connections at once; None leaves it to the user's settings.
    """

    names: tuple[str, ...] = ()
    minimum_age: timedelta | None = None
    seen: Path | None = None
    jobs: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An update that was thought through, and not written.

    Attributes:
        now: when, in seconds since the epoch.
        requests: how many were made, by kind.
    """

    result: UpdateResult
    now: float
    requests: Counter[str]


def ask(session: Session, spec: Spec, wish: Wish, *, writing: bool) -> Run:
    """Ask registries what an update would do; only the observation log is written.

    Args:
        session: the run.
        spec: what images.toml says.
        wish: what the command line says.
        writing: whether images.lock is to be written then, which must be possible.
    """
    from pinner.update import SeenFile, run_update  # noqa: PLC0415 - help does without

    project = session.project
    now = session.clock.now()
    file = SeenFile(_seen_path(session, wish.seen), named=wish.seen is not None, warn=session.warn)
    with session.registry(spec.registries, jobs=wish.jobs) as registry:

        def open_registry() -> RegistryClient:
            if writing:  # nothing is asked for what could not be kept
                project.require_writable([project.lock_path])
            return registry.open()

        result = run_update(
            spec,
            project.read_lock(),
            open_registry,
            names=wish.names,
            minimum_age=wish.minimum_age,
            seen=file.read(now),
            now=now,
            host=session.host_platform,
            jobs=registry.jobs,
        )
        requests = registry.counts
    file.save(result.seen, now)
    for warning in result.warnings:
        session.warn(warning)
    return Run(result=result, now=now, requests=requests)


def failures(result: UpdateResult) -> Iterator[PinnerError]:
    """What went wrong with single entries, for stderr: failures, and tags that must not move."""
    from pinner.errors import AnswerNo  # noqa: PLC0415 - help does without
    from pinner.outcome import Failed  # noqa: PLC0415
    from pinner.update import Alarm  # noqa: PLC0415

    for outcome in result.outcomes:
        if isinstance(outcome, Failed):
            yield outcome.error
        elif isinstance(outcome, Alarm):
            image = outcome.image
            yield AnswerNo(
                f"{outcome.name}: {image.repository.familiar()}:{image.tag} is immutable in "
                "images.toml, and moved",
                mend=(
                    f"locked {image.digest}",
                    f"now    {outcome.digest}",
                    "the pin stays; find out who moved the tag before you trust it",
                ),
            )


def _seen_path(session: Session, given: Path | None) -> Path:
    if given is not None:
        return session.project.seen_from / given
    import platformdirs  # noqa: PLC0415 - not where the file is named

    from pinner.cli.home import home_needed  # noqa: PLC0415

    with home_needed():
        return platformdirs.user_state_path("pinner", appauthor=False) / _SEEN
