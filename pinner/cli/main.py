"""The top of the command line: run it, and turn every ending into an exit code.

0 done · 1 the answer is no · 2 usage or a bad file · 3 registry or network · 4 integrity
5 store or disk · 70 a bug · 130 Ctrl-C · 141 the reader of stdout left · 143 SIGTERM
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pinner.cli.console import ClosedOutput, system_console
from pinner.cli.context import GlobalOptions, Runtime, Session
from pinner.cli.table import COMMANDS, Table
from pinner.clock import SystemClock
from pinner.errors import PinnerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEBUG: Final = "PINNER_DEBUG"
_CLOSED: Final = 141  # 128 + SIGPIPE, as if the signal had ended us
_INTERRUPTED: Final = 130


def run(
    argv: Sequence[str], *, environ: Mapping[str, str] = os.environ, table: Table = COMMANDS
) -> int:
    """Run the command line.

    Args:
        argv: the arguments, without the program's name.
        environ: the environment.
        table: the commands.

    Returns:
        The exit code. Nothing is raised: every failure is reported here.
    """
    runtime = Runtime(console=system_console(environ), environ=environ, clock=SystemClock())
    try:
        try:
            return _run(list(argv), runtime, table)
        except ClosedOutput:
            raise
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every failure ends here
            return _fail(error, list(argv), runtime, table)
    except ClosedOutput:
        return _CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED  # a second Ctrl-C, while the first was being reported


def _run(argv: list[str], runtime: Runtime, table: Table) -> int:
    if argv == ["lock", "--check"] and table is COMMANDS:
        # The question that CI and editors ask all the time: click would be a sixth of its cost.
        from pinner.cli.lockcheck import check_lock  # noqa: PLC0415

        return check_lock(Session(runtime, GlobalOptions(), command="lock"))
    from pinner.cli.program import run_program  # noqa: PLC0415 - imports click
    from pinner.cli.signals import sigterm_interrupts  # noqa: PLC0415

    with sigterm_interrupts():
        return run_program(argv, runtime, table)


def _fail(error: BaseException, argv: list[str], runtime: Runtime, table: Table) -> int:
    from pinner.cli import failures  # noqa: PLC0415 - most runs do not fail

    console = runtime.console
    shown = failures.as_pinner_error(error)
    # The command line may be what failed, so its flags are looked for, not parsed.
    if "--debug" in argv or runtime.environ.get(_DEBUG):
        console.note(failures.render_trace(error))
    if "--json" in argv:
        known = {name for section in table.values() for name in section}
        command = next((word for word in argv if word in known), "")
        try:
            console.result(failures.failure_document(shown, command))
        except PinnerError:
            console.note(failures.render_failure(shown, label=console.error_label))
    else:
        console.note(failures.render_failure(shown, label=console.error_label))
    return shown.exit_code
