"""Help in colour, for a terminal: the same commands, rendered by rich-click.

rich-click takes longer to import than `pinner lock --check` takes to run, so commands are plain
click, and are dressed up only when someone looks at their help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import rich_click
from rich_click.rich_panel import RichCommandPanel, RichOptionPanel

from pinner.cli.lazy import CommandTable
from pinner.cli.options import option_panels

if TYPE_CHECKING:
    import click
    from rich_click.rich_panel import RichPanel

_THEME: Final = "cargo-slim"


def rich_help(command: click.Command, ctx: click.Context) -> str:
    """What `command.get_help` says, in colour and as wide as the terminal."""
    dressed = _dressed(command, ctx)
    config = {
        "theme": _THEME,
        # Into the panel of this name go all options, even those that have a panel.
        "options_panel_title": "Other options",
    }
    rich_ctx = rich_click.RichContext(dressed, info_name=ctx.command_path, rich_help_config=config)
    return dressed.get_help(rich_ctx).rstrip()


def _dressed(command: click.Command, ctx: click.Context) -> rich_click.RichCommand:
    options: list[RichPanel[Any, Any]] = [
        RichOptionPanel(title, options=[max(option.opts, key=len) for option in members])
        for title, members in option_panels(command)
    ]
    if not isinstance(command, CommandTable):
        return rich_click.RichCommand(
            name=command.name,
            help=command.help,
            params=command.params,
            add_help_option=False,
            panels=options,
        )
    commands = ((name, command.get_command(ctx, name)) for name in command.list_commands(ctx))
    return rich_click.RichGroup(
        name=command.name,
        help=command.help,
        params=command.params,
        add_help_option=False,
        commands={name: member for name, member in commands if member},
        panels=[
            *(
                RichCommandPanel(title, commands=list(names))
                for title, names in command.sections.items()
            ),
            *options,
        ],
    )
