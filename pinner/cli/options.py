"""What every command shares: its class, the global options, and options that several commands have.

Global options are valid before the command and behind it (`pinner --json lock`, `pinner lock
--json`): each place notes what it was given in the invocation's `meta`, where `Session` reads the
sum of both.
"""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from pinner.cli.context import GlobalOptions, Session

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from pinner.cli.context import Runtime
    from pinner.errors import InputError
    from pinner.oci.platform import Platform

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_Group = TypeVar("_Group")
_Arguments = ParamSpec("_Arguments")


class BadValue(click.BadParameter):
    """The value of an option that cannot be read, with how to write it."""

    def __init__(self, error: InputError, ctx: click.Context, param: click.Parameter) -> None:
        super().__init__(error.what, ctx, param)
        self.mend = error.mend


class PinnerCommand(click.Command):
    """A command with the global options, help in two parts, and colour where someone looks."""

    def __init__(self, *, params: list[click.Parameter], **settings: Any) -> None:
        super().__init__(params=[*params, *_global_options()], add_help_option=False, **settings)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; every error knows the command that it is about."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def get_help(self, ctx: click.Context) -> str:
        """The help text: from rich-click in a terminal, from click for a pipe or a file."""
        runtime: Runtime = ctx.obj
        if runtime.console.colourful_out:
            from pinner.cli.richhelp import rich_help  # noqa: PLC0415 - slow, and rarely wanted

            return rich_help(self, ctx)
        return super().get_help(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options, then those that every command has."""
        for title, options in option_panels(self):
            records = [record for option in options if (record := option.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(records)


def option_panels(command: click.Command) -> list[tuple[str, list[click.Option]]]:
    """The options as help lists them: title and members, without empty lists."""
    options = [param for param in command.params if isinstance(param, click.Option)]
    own = [option for option in options if not isinstance(option, _GlobalOption)]
    shared = [option for option in options if option not in own]
    panels: list[tuple[str, list[click.Option]]] = [("Options", own), ("Global options", shared)]
    return [panel for panel in panels if panel[1]]


def command(
    function: Callable[Concatenate[Session, _Arguments], int],
) -> PinnerCommand:
    """Make a command of a function that takes the session and returns the exit code.

    The function's name is the command's, its docstring the help; parameters come from the
    `click.option` and `click.argument` decorators below this one.
    """

    @functools.wraps(function)
    def callback(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> int:
        ctx = click.get_current_context()
        options = GlobalOptions.given(ctx.meta)
        # All of its names: `auth explain` without the program's.
        session = Session(ctx.obj, options, command=ctx.command_path.partition(" ")[2])
        return function(session, *args, **kwargs)

    params: list[click.Parameter] = list(reversed(getattr(function, "__click_params__", [])))
    return PinnerCommand(
        name=function.__name__.rstrip("_").replace("_", "-"),
        help=inspect.cleandoc(function.__doc__ or ""),
        params=params,
        callback=callback,
    )


def picked(group: Callable[..., _Group], given: Mapping[str, Any]) -> _Group:
    """The options of one group, a dataclass whose fields are the options' parameters."""
    return group(**{name: given[name] for name in inspect.signature(group).parameters})


def entry_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Candidates for completing the name of an entry of images.toml."""
    project = Session(ctx.obj, GlobalOptions.given(ctx.meta), command="").project
    return [name for name in project.entry_names() if name.startswith(incomplete)]


def store_option(function: _Function) -> _Function:
    """`--store DIR`, for the commands that read or fill the store."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Use this store instead of the user's own.",
    )(function)


def paths_argument(function: _Function) -> _Function:
    """`PATH…`, for the commands that look at files which name images."""
    return click.argument("paths", nargs=-1, type=_FilePath(path_type=Path), metavar="[PATH]...")(
        function
    )


class _FilePath(click.Path):
    """A path. No text is none: a variable that is not set must not mean the whole project."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if not value:
            self.fail("an empty text is no path", param, ctx)
        return super().convert(value, param, ctx)


def jobs_option(function: _Function) -> _Function:
    """`--jobs N`, for the commands that talk to registries."""
    return click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        metavar="N",
        help="Connections at once. [default: 8]",
    )(function)


def platform_option(function: _Function) -> _Function:
    """`--platform P`, as often as wanted, for the commands that choose among platforms."""
    return click.option(
        "--platform",
        multiple=True,
        metavar="P",
        callback=_parse_platforms,
        help="A platform such as linux/arm64; may be given again.",
    )(function)


def parse_age(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """The callback of an option that takes a duration such as `3d`."""
    from pinner.spec.duration import InvalidDuration, parse_duration  # noqa: PLC0415

    if value is None:
        return None
    try:
        return parse_duration(value)
    except InvalidDuration as error:
        raise BadValue(error, ctx, param) from error


def one_platform_option(help_text: str) -> Callable[[_Function], _Function]:
    """`--platform P`, once, for the commands that name one platform's manifests."""
    return click.option("--platform", metavar="P", callback=_parse_platform, help=help_text)


def _parse_platform(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> Platform | None:
    found = _parse_platforms(ctx, param, () if value is None else (value,))
    return found[0] if found else None


def _parse_platforms(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[Platform, ...]:
    from pinner.oci.platform import InvalidPlatform, Platform  # noqa: PLC0415 - help does without

    try:
        return tuple(map(Platform.parse, values))
    except InvalidPlatform as error:
        raise BadValue(error, ctx, param) from error


class _GlobalOption(click.Option):
    """An option that is valid at the group and at each command."""


def _global_options() -> list[click.Parameter]:
    def option(*names: str, **settings: Any) -> _GlobalOption:
        return _GlobalOption(names, expose_value=False, **settings)

    return [
        option(
            "--directory",
            type=click.Path(path_type=Path),
            metavar="DIR",
            callback=_remember,
            help="Run as if started in this folder.",
        ),
        option("--json", is_flag=True, callback=_remember, help="Print one JSON document."),
        option(
            "-q", "--quiet", is_flag=True, callback=_remember, help="Print nothing but the result."
        ),
        option("--debug", is_flag=True, callback=_remember, help="Show where an error comes from."),
        option("-h", "--help", is_flag=True, is_eager=True, callback=_help, help="Show this help."),
    ]


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value and param.name:
        GlobalOptions.note(ctx.meta, param.name, value)


def _help(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click calls it so
    if value and not ctx.resilient_parsing:
        runtime: Runtime = ctx.obj
        runtime.console.result(f"{ctx.get_help()}\n")
        ctx.exit()
