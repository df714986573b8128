"""`pinner serve`: the store as a read-only registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pinner.cli.options import command, picked, store_option

if TYPE_CHECKING:
    from pinner.cli.context import Session

DEFAULT_ADDRESS: Final = "127.0.0.1:5000"
STANDARD_ERROR: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line says; paths as given."""

    listen: str | None
    tls_cert: Path | None
    tls_key: Path | None
    htpasswd: Path | None
    access_log: str | None
    store: Path | None


@command
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help=f"Listen here, also where other machines reach it. [default: {DEFAULT_ADDRESS}]",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Speak TLS with this certificate chain (PEM).",
)
@click.option(
    "--tls-key", type=click.Path(path_type=Path), metavar="FILE", help="The certificate's key."
)
@click.option(
    "--htpasswd",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask for a name and password of this file (bcrypt).",
)
@click.option(
    "--access-log",
    metavar="FILE",
    help="Append a line for each request; `-` is standard error.",
)
@store_option
def serve(session: Session, /, **given: Any) -> int:
    """Serve the store as a read-only registry.

    docker, podman and containerd pull from it by name, or use it as a mirror. A sync beside it
    makes images appear once they are complete. Ends with exit 0 at Ctrl-C or SIGTERM; SIGHUP
    reopens the log, and reads the passwords and the certificate anew.
    """
    from pinner.cli.serving import run_serve  # noqa: PLC0415 - help does without

    return run_serve(session, picked(ServeOptions, given))
