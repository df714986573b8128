"""`pinner logout`: forget a login, in docker's config.json and the helper that it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pinner.cli.failures import Usage
from pinner.cli.loggedin import known_registries, login_registry
from pinner.cli.options import command

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.errors import PinnerError
    from pinner.registry.keeping import Kept


@command
@click.argument("registry", required=False, shell_complete=known_registries)
@click.option("--all", "everything", is_flag=True, help="Log out of every registry in the file.")
def logout(session: Session, *, registry: str | None, everything: bool) -> int:
    """Log out of a registry, Docker Hub if none is named.

    The login is taken out of docker's config.json, or the credential helper that it names. Logins
    elsewhere, such as podman's, are left, and said.
    """
    from pinner.cli.home import home_needed  # noqa: PLC0415 - help does without
    from pinner.errors import InputError  # noqa: PLC0415
    from pinner.output.logins import logout_fields, render_logout  # noqa: PLC0415
    from pinner.registry.helpers import PATIENT, ProcessRunner  # noqa: PLC0415
    from pinner.registry.keeping import LoginKeeper  # noqa: PLC0415

    if registry is not None and everything:
        raise Usage("--all takes no registry")
    with home_needed():
        home = Path.home()
    environ = session.runtime.environ
    runner = ProcessRunner(environ=environ, timeout=PATIENT)
    keeper = LoginKeeper(environ=environ, home=home, run_helper=runner)
    hosts = keeper.registries() if everything else (login_registry(registry),)
    outcomes: list[tuple[str, Kept | None]] = []
    failed: list[tuple[str, PinnerError]] = []
    for host in hosts:
        try:
            outcomes.append((host, keeper.erase(host, namespaces=everything)))
        except InputError as error:  # a helper's; the next registry may have another
            failed.append((host, error))
        else:
            _note_what_is_left(session, host, home)
            for key in keeper.namespaces(host):
                session.warn(f"the login for {key} is left")
    session.report(error for _, error in failed)
    if outcomes or not failed or session.options.json:
        session.answer(render_logout(outcomes), logout_fields(outcomes, failed))
    return failed[0][1].exit_code if failed else 0


def _note_what_is_left(session: Session, host: str, home: Path) -> None:
    """Say so where another place still has a login for the registry."""
    from pinner.registry.credentials import CredentialStore  # noqa: PLC0415 - help does without
    from pinner.registry.helpers import ProcessRunner  # noqa: PLC0415

    environ = session.runtime.environ
    store = CredentialStore(
        environ=environ,
        home=home,
        run_helper=ProcessRunner(environ=environ),
        note=lambda _: None,
    )
    left = store.look_up(host, "").found
    if left is not None:
        session.warn(f"a login for {host} is still found in {left.source}")
