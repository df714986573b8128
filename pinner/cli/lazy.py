"""A click group whose commands are loaded when they run, or when help lists them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

import click

from pinner.cli.options import PinnerCommand

if TYPE_CHECKING:
    from pinner.cli.table import Table


_SHORT: Final = 66


class CommandTable(PinnerCommand, click.Group):
    """A group whose commands come from a table of import paths.

    Args:
        table: section -> command -> "module:attribute".
        settings: whatever `click.Group` takes.
    """

    def __init__(self, table: Table, **settings: Any) -> None:
        super().__init__(**settings)
        self.sections = table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, section by section."""
        return [name for section in self.sections.values() for name in section]

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command of this name, loaded now; None where there is none."""
        for section in self.sections.values():
            if cmd_name in section:
                module, _, attribute = section[cmd_name].partition(":")
                command = getattr(importlib.import_module(module), attribute)
                return command if isinstance(command, click.Command) else None
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; a near miss is told by its right name."""
        known = self.list_commands(ctx)
        if args[0] in known or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches  # noqa: PLC0415 - only after a slip of the fingers

        close = get_close_matches(args[0], known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise click.UsageError(f"no such command {args[0]!r}{meant}", ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, then the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list for each section, each command with its first sentence."""
        for title, section in self.sections.items():
            commands = [(name, self.get_command(ctx, name)) for name in section]
            rows = [
                (name, command.get_short_help_str(_SHORT)) for name, command in commands if command
            ]
            with formatter.section(title):
                formatter.write_dl(rows)
