"""`pinner outdated`: what an update would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.cli.asking import Wish, ask, failures, update_options
from pinner.cli.options import command

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from pinner.cli.context import Session


@command
@update_options
def outdated(
    session: Session,
    *,
    names: tuple[str, ...],
    minimum_age: timedelta | None,
    seen: Path | None,
    jobs: int | None,
) -> int:
    """Say what an update would move: exit 1 if anything.

    Nothing is written. What is held, and an index that moved without your platforms, is no update.
    """
    from pinner.output.update import render_outdated, update_fields  # noqa: PLC0415 - as in update

    wish = Wish(names=names, minimum_age=minimum_age, seen=seen, jobs=jobs)
    run = ask(session, session.project.read_spec(), wish, writing=False)
    session.report(failures(run.result))
    session.answer(
        render_outdated(run.result, now=run.now),
        update_fields(run.result, requests=run.requests, wrote=[], dry_run=True),
    )
    return run.result.outdated_code
