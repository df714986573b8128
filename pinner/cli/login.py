"""`pinner login`: try a login at its registry, then keep it where docker keeps its logins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pinner.cli.failures import Usage
from pinner.cli.loggedin import known_registries, login_registry
from pinner.cli.options import command

if TYPE_CHECKING:
    from pinner.cli.context import Session
    from pinner.registry.authfile import Credential

_TOKEN: Final = "<token>"  # noqa: S105 - the name by which helpers mark an identity token
_INSECURE: Final = "WARNING! Using --password via the CLI is insecure. Use --password-stdin."
_TEXT: Final = "\t\n\r"  # what a password may hold of the controls: Google's is a JSON document


@command
@click.argument("registry", required=False, shell_complete=known_registries)
@click.option("-u", "--username", metavar="USER", help="The user's name.")
@click.option("-p", "--password", metavar="PASSWORD", help="The password; others can see it here.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
def login(
    session: Session,
    *,
    registry: str | None,
    username: str | None,
    password: str | None,
    password_stdin: bool,
) -> int:
    """Log in to a registry, Docker Hub if none is named.

    The login is tried there, then stored as `docker login` does: with the credential helper that
    docker's config.json names, else in that file. Without --username or a password, the terminal
    is asked.
    """
    from pinner.cli.home import home_needed  # noqa: PLC0415 - help does without
    from pinner.output.logins import login_fields, render_login  # noqa: PLC0415
    from pinner.registry.helpers import PATIENT, ProcessRunner  # noqa: PLC0415
    from pinner.registry.keeping import LoginKeeper  # noqa: PLC0415
    from pinner.registry.open import Surroundings, verify_login  # noqa: PLC0415

    host = login_registry(registry)
    if password is not None and password_stdin:
        raise Usage("--password and --password-stdin are mutually exclusive")
    if password_stdin and username is None:
        raise Usage("Must provide --username with --password-stdin")
    if password is not None:
        session.note(_INSECURE)
    credential = _credential(host, username, password, password_stdin=password_stdin)
    with home_needed():
        home = Path.home()
    environ = session.runtime.environ
    runner = ProcessRunner(environ=environ, timeout=PATIENT)
    keeper = LoginKeeper(environ=environ, home=home, run_helper=runner)
    keeper.registries()  # a file that cannot be read is no reason to send a password
    around = Surroundings(
        configs=session.settings.registries,
        environ=environ,
        home=home,
        clock=session.clock,
        note=session.note,
    )
    verified = verify_login(host, credential, around)
    kept = keeper.store(host, credential)
    if not kept.helper:
        session.note(f"WARNING! Your password will be stored unencrypted in {kept.file}.")
        session.note("Configure a credential helper to remove this warning.")
    _note_what_is_used(session, host, home, kept.file)
    session.answer(
        render_login(host, kept, verified=verified),
        login_fields(host, credential.user, kept, verified=verified),
    )
    return 0


def _credential(
    host: str, username: str | None, password: str | None, *, password_stdin: bool
) -> Credential:
    """User and password as given, piped or typed.

    Raises:
        Usage: there is no terminal to ask on.
        InputError: one of them cannot be used.
    """
    from pinner.cli.prompting import ask_password, ask_user, piped_password  # noqa: PLC0415
    from pinner.errors import InputError  # noqa: PLC0415
    from pinner.registry.authfile import Credential  # noqa: PLC0415

    user = ask_user(host) if username is None else username
    if not user:
        raise InputError("the user name is empty")
    if ":" in user or not user.isprintable():
        raise InputError("a user name has neither colons nor control characters")
    if user == _TOKEN:
        raise InputError(f"{_TOKEN} is no user name, but stands for an identity token")
    if password_stdin:
        password = piped_password()
    elif password is None:
        password = ask_password()
    if not password:
        raise InputError("the password is empty")
    if any(ord(sign) < ord(" ") and sign not in _TEXT for sign in password) or "\x7f" in password:
        raise InputError("the password has control characters")
    return Credential(user=user, password=password)


def _note_what_is_used(session: Session, host: str, home: Path, file: str) -> None:
    """Say so where another place has a login for the registry, which is found before this one."""
    from pinner.registry.credentials import CredentialStore  # noqa: PLC0415 - help does without
    from pinner.registry.helpers import ProcessRunner  # noqa: PLC0415
    from pinner.registry.lookup import Outcome  # noqa: PLC0415

    environ = session.runtime.environ
    store = CredentialStore(
        environ=environ,
        home=home,
        run_helper=ProcessRunner(environ=environ),
        note=lambda _: None,
    )
    lookup = store.look_up(host, "", ask_helpers=False)
    if lookup.looks[0].place != file and lookup.looks[0].outcome is Outcome.FOUND:
        session.warn(f"{lookup.looks[0].place} has a login for {host} as well, which comes first")
