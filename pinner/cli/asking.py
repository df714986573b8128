"""Asking registries where tags point now: what `update` and `outdated` share."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pinner.cli.comparing import compare
from pinner.cli.options import entry_names, jobs_option, parse_age

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from pinner.cli.comparing import Comparison
    from pinner.cli.context import Session
    from pinner.compare.model import ImageChange
    from pinner.errors import PinnerError
    from pinner.lockfile import Lock
    from pinner.oci.remembering import RememberingSource
    from pinner.spec import Spec
    from pinner.update import UpdateResult

_SEEN: Final = "seen.json"
_Function = TypeVar("_Function", bound="Callable[..., Any]")


def update_options(function: _Function) -> _Function:
    """What `update` and `outdated` share: the entries, `--minimum-age`, `--seen`, `--jobs`."""
    decorators = (
        click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=entry_names),
        click.option(
            "--minimum-age",
            metavar="D",
            callback=parse_age,
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
        previous: the lock that it started from; None where there was none.
        changes: what became of the images whose pins move, in the outcomes' order.
        now: when, in seconds since the epoch.
        requests: how many were made, by kind.
    """

    previous: Lock | None
    result: UpdateResult
    changes: Sequence[ImageChange]
    now: float
    requests: Counter[str]


def ask(
    session: Session,
    spec: Spec,
    wish: Wish,
    *,
    writing: bool,
    comparison: Comparison | None = None,
) -> Run:
    """Ask registries what an update would do; only the observation log is written.

    Args:
        session: the run.
        spec: what images.toml says.
        wish: what the command line says.
        writing: whether images.lock is to be written then, which must be possible.
        comparison: how closely to look at the images whose pins move; None for not at all.
    """
    from pinner.oci.remembering import RememberingSource  # noqa: PLC0415 - help does without
    from pinner.update import SeenFile, moved_images, run_update  # noqa: PLC0415

    project = session.project
    now = session.clock.now()
    previous = project.read_lock()
    file = SeenFile(_seen_path(session, wish.seen), named=wish.seen is not None, warn=session.warn)
    with session.registry(spec.registries, jobs=wish.jobs) as registry:

        @functools.cache
        def open_registry() -> RememberingSource:
            if writing:  # nothing is asked for what could not be kept
                project.require_writable([project.lock_path])
            return RememberingSource(registry.open())

        result = run_update(
            spec,
            previous,
            open_registry,
            names=wish.names,
            minimum_age=wish.minimum_age,
            seen=file.read(now),
            now=now,
            host=session.host_platform,
            jobs=registry.jobs,
        )
        file.save(result.seen, now)
        for warning in result.warnings:
            session.warn(warning)
        changes: Sequence[ImageChange] = moved_images(result.outcomes)
        if changes and comparison is not None:
            changes = _compared(
                session, changes, comparison, open_source=open_registry, jobs=registry.jobs
            )
        requests = registry.counts
    return Run(previous=previous, result=result, changes=changes, now=now, requests=requests)


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


def _compared(
    session: Session,
    changes: Sequence[ImageChange],
    comparison: Comparison,
    *,
    open_source: Callable[[], RememberingSource],
    jobs: int,
) -> Sequence[ImageChange]:
    """The changes with what can be told of them; a store that fails does not stop an update."""
    from dataclasses import replace  # noqa: PLC0415 - only where something moved

    from pinner.errors import StoreError  # noqa: PLC0415
    from pinner.terminal import safe  # noqa: PLC0415

    try:
        return compare(session, changes, comparison, open_source=open_source, jobs=jobs, asks=True)
    except StoreError as error:
        unknown = "what changed inside the images cannot be told"
        head, *_ = str(error).splitlines()
        session.warn(f"{unknown}: {safe(head)}")
        # The note is for whoever reads the summary, who knows nothing of this machine's paths.
        return [
            replace(change, notes=(*change.notes, f"{unknown}: the store failed"))
            for change in changes
        ]


def _seen_path(session: Session, given: Path | None) -> Path:
    if given is not None:
        return session.project.seen_from / given
    import platformdirs  # noqa: PLC0415 - not where the file is named

    from pinner.cli.home import home_needed  # noqa: PLC0415

    with home_needed():
        return platformdirs.user_state_path("pinner", appauthor=False) / _SEEN
