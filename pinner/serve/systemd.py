"""What systemd asks of a service: to say when it is ready, and to take a socket that is open.

sd_notify and sd_listen_fds in a few lines each; without systemd both do nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
_FIRST: Final = 3  # the descriptors that systemd passes start here


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Tell the manager that started us; one that does not listen is no failure.

    Args:
        state: lines of `KEY=value`.
        environ: NOTIFY_SOCKET names the manager's socket: a path, or `@name` of an abstract one.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.sendto(state.encode(), address)


def passed_listener(
    environ: Mapping[str, str], *, pid: int, first: int = _FIRST
) -> socket.socket | None:
    """The listening socket that was passed to this process; None where there is none.

    Args:
        environ: LISTEN_PID and LISTEN_FDS tell.
        pid: our own process.
        first: the descriptor of the first socket.

    Raises:
        InputError: several, or one that is no listening TCP socket.
    """
    if environ.get("LISTEN_PID") != str(pid) or environ.get("LISTEN_FDS", "0") == "0":
        return None
    if environ["LISTEN_FDS"] != "1":
        raise InputError("several sockets were passed (LISTEN_FDS), and one is served")
    try:
        os.set_inheritable(first, False)  # noqa: FBT003 - has no keyword
        passed = socket.socket(fileno=first)
    except OSError as error:
        raise InputError(
            f"the socket that was passed (LISTEN_FDS) cannot be used: {error.strerror}"
        ) from error
    listens = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if passed.family not in {socket.AF_INET, socket.AF_INET6} or not listens:
        passed.close()
        raise InputError(
            "the socket that was passed (LISTEN_FDS) does not listen on TCP",
            mend="in the .socket unit: `ListenStream=127.0.0.1:5000`",
        )
    return passed
