"""`pinner demo`: the main job, told offline in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.cli.options import command

if TYPE_CHECKING:
    from pinner.cli.context import Session


@command
def demo(session: Session) -> int:
    """Show the main job, offline, on a registry of its own.

    Everything happens in a temporary folder, which is gone at the end.
    """
    from pinner.demo import run  # noqa: PLC0415 - help does without

    told: list[str] = []
    runtime = session.runtime
    write = told.append if session.options.json else runtime.console.result
    code = run(write, environ=runtime.environ, clock=runtime.clock)
    if session.options.json:
        session.answer("", {"transcript": "".join(told)})
    return code
