"""`pinner auth explain`: which login a reference would be asked with, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinner.cli.options import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.cli.context import Session
    from pinner.oci.registryconfig import RegistryConfig


@command
@click.argument("reference")
@click.option("--no-helpers", is_flag=True, help="Run no credential helper.")
def explain(session: Session, *, reference: str, no_helpers: bool) -> int:
    """Show which login a reference is asked with, and why.

    Every place is listed in the order of the lookup, with what was found there; then where the
    login would go, through which proxy, and whom TLS trusts. No registry is asked, and no
    password or token is shown.
    """
    from pinner.cli.home import home_needed  # noqa: PLC0415 - help does without
    from pinner.oci.reference import Reference  # noqa: PLC0415
    from pinner.output.logins import explained_fields, render_explained  # noqa: PLC0415
    from pinner.registry.explain import explain as explain_ways  # noqa: PLC0415

    named = Reference.parse(reference)
    with home_needed():
        home = Path.home()
    ways = explain_ways(
        named.repository,
        configs=_configs(session),
        environ=session.runtime.environ,
        home=home,
        ask_helpers=not no_helpers,
        note=session.note,
    )
    errors = [way.lookup.error for way in ways if way.lookup.error is not None]
    session.report(errors)
    session.answer(render_explained(ways), explained_fields(str(named), ways))
    return errors[0].exit_code if errors else 0


def _configs(session: Session) -> Sequence[RegistryConfig]:
    """The registries of config.toml, and of images.toml where there is one."""
    project = session.project
    theirs = project.read_spec().registries if project.spec_path.exists() else ()
    return session.settings.with_project(theirs)
