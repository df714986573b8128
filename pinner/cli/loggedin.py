"""Registries as `login` and `logout` take them from the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pinner.cli.failures import Usage
from pinner.terminal import safe

if TYPE_CHECKING:
    import click

    from pinner.cli.context import Runtime

_URL: Final = re.compile(r"https?://(?P<host>[^/]+)/*(?:v[12]/*)?", re.ASCII | re.IGNORECASE)


def login_registry(text: str | None) -> str:
    """The registry that an argument names: `host[:port]`, or its URL; Docker Hub for none.

    Raises:
        Usage: it names none, or more than one.
    """
    from pinner.oci.grammar import DEFAULT_REGISTRY, is_registry  # noqa: PLC0415 - help does without
    from pinner.oci.reference import parse_registry  # noqa: PLC0415

    if text is None:
        return DEFAULT_REGISTRY
    if "@" in text:
        raise Usage(
            "the name of a registry holds no user or password",
            mend="give them by --username and --password-stdin",
        )
    match = _URL.fullmatch(text)
    host = (match["host"] if match else text).rstrip("/")
    if not is_registry(host):
        first = host.partition("/")[0]
        mend = f"a login is for a whole registry: {safe(first)}" if is_registry(first) else ""
        raise Usage(
            f'"{safe(text, limit=160)}" is not a registry',
            mend=mend or 'write its host with a dot or a port: "registry.example"',
        )
    return parse_registry(host)


def known_registries(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Candidates for completing a registry: those that have an entry in the credential file."""
    from pinner.errors import PinnerError  # noqa: PLC0415 - only completion
    from pinner.registry.helpers import ProcessRunner  # noqa: PLC0415
    from pinner.registry.keeping import LoginKeeper  # noqa: PLC0415

    runtime: Runtime = ctx.obj
    runner = ProcessRunner(environ=runtime.environ)
    try:
        keeper = LoginKeeper(environ=runtime.environ, home=Path.home(), run_helper=runner)
        found = keeper.registries()
    except (PinnerError, RuntimeError):
        return []
    return [registry for registry in found if registry.startswith(incomplete)]
