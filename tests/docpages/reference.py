"""docs/cli.md: the help of every command, as a page whose examples are still to be run."""

from __future__ import annotations

from typing import Final

import click

from pinner.cli.lazy import CommandTable
from pinner.cli.program import build_program
from pinner.cli.table import COMMANDS

_HEAD: Final = """\
# Commands

<!-- `make docs` writes this page from the commands' own help. -->

What ends a command with which exit code is in [ci.md](ci.md#exit-codes), what `--json` prints in
[json.md](json.md). Results go to stdout, progress and messages to stderr. `NO_COLOR` turns colour
off, and `PINNER_DEBUG=1` does what `--debug` does.
"""


def skeleton() -> str:
    """The page without the outputs of its commands."""
    sections = [_HEAD, _help("pinner")]
    for title, commands in COMMANDS.items():
        sections.append(f"## {title}\n")
        for name in commands:
            sections += [f"### pinner {name}\n", _help(f"pinner {name}")]
            for inner in _inner(name):
                sections += [f"#### pinner {name} {inner}\n", _help(f"pinner {name} {inner}")]
    return "\n".join(sections)


def _inner(name: str) -> list[str]:
    """The commands of a group; none of a command."""
    program = build_program()
    context = click.Context(program)
    command = program.get_command(context, name)
    return command.list_commands(context) if isinstance(command, CommandTable) else []


def _help(command: str) -> str:
    return f"```console\n$ {command} --help\n```\n"
