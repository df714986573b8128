"""The command line as click runs it, from the table of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

import pinner
from pinner.cli.failures import Usage
from pinner.cli.lazy import CommandTable
from pinner.cli.options import BadValue
from pinner.cli.table import COMMANDS, Table
from pinner.terminal import safe

if TYPE_CHECKING:
    from pinner.cli.context import Runtime

COMPLETE: Final = "_PINNER_COMPLETE"
"""The variable by which a shell asks for candidates."""

_USAGE: Final = 2


def run_program(argv: list[str], runtime: Runtime, table: Table) -> int:
    """Parse the arguments and run the command that they name.

    Returns:
        The command's exit code.

    Raises:
        PinnerError: the command failed, or the arguments cannot be understood (`Usage`).
    """
    program = build_program(table)
    instruction = runtime.environ.get(COMPLETE)
    if instruction:
        from click.shell_completion import shell_complete  # noqa: PLC0415 - the shell asks

        return shell_complete(program, {"obj": runtime}, "pinner", COMPLETE, instruction)
    try:
        with program.make_context("pinner", argv, obj=runtime) as ctx:
            return int(program.invoke(ctx) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        runtime.console.note(f"{error.message}\n")
        return _USAGE
    except click.UsageError as error:
        raise _usage(error) from error
    except click.exceptions.Exit as ending:
        return ending.exit_code


def build_program(table: Table = COMMANDS) -> CommandTable:
    """The whole command line; its commands are loaded when they are asked for."""
    version = click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_version,
        help="Show the version.",
    )
    return CommandTable(
        table,
        name="pinner",
        help="Lock container images to digests once, pull exactly those everywhere.",
        params=[version],
    )


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it so
    if value and not ctx.resilient_parsing:
        runtime: Runtime = ctx.obj
        runtime.console.result(f"pinner {pinner.__version__}\n")
        ctx.exit()


def _usage(error: click.UsageError) -> Usage:
    message = " ".join(error.format_message().split()).rstrip(".")
    path = error.ctx.command_path if error.ctx else "pinner"
    mend = error.mend if isinstance(error, BadValue) else ()
    return Usage(
        safe(message[:1].lower() + message[1:]),
        mend=mend or f"run `{path} --help` for what there is",
    )
