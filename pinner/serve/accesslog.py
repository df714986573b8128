r"""A line for each request, in the combined format that log readers know (Apache's, nginx's).

    192.0.2.7 - ada [27/Nov/2026:18:25:37 +0000] "GET /v2/ HTTP/1.1" 200 2 "-" "docker/24.0"

A line is written when the answer has gone out, or the client has: the size is that of the body as
far as it was sent. Quotes, backslashes, controls and whatever is not ASCII are escaped (`\x1b`), so
that no request can forge a line. Passwords are never written.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError
from pinner.serve.guard import basic_credentials
from pinner.terminal import safe

if TYPE_CHECKING:
    from pathlib import Path

    from pinner.clock import Clock
    from pinner.serve.message import Request, Response, Sent

_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_MODE: Final = 0o640
_CLOSED: Final = -1
# Not by the locale, as strftime has them.
_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - a row
_UNAUTHORIZED: Final = 401


class AccessLog:
    """An open log; a full disk loses lines, which are counted, and never a request."""

    def __init__(self, path: Path | None, *, clock: Clock, users: bool) -> None:
        """Open the log, at its end.

        Args:
            path: the file, made where there is none; None for standard error.
            clock: for the time of a request.
            users: whether requests carry users that somebody has checked.

        Raises:
            InputError: it cannot be opened.
        """
        self._path = path
        self._clock = clock
        self._users = users
        self._lock = threading.Lock()
        self._fd = self._open()
        self.lost = 0

    def finished(self, request: Request, response: Response, sent: Sent) -> None:
        """Write the line of one request that was answered; from any thread."""
        line = log_line(request, response, sent=sent.body, now=self._clock.now(), users=self._users)
        data = memoryview(line.encode("ascii"))
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._fd, data) :]
            except OSError:
                self.lost += 1

    def reopen(self) -> None:
        """Go on in a new file, once logrotate has moved the old one away.

        Raises:
            InputError: it cannot be opened; the old one is kept.
        """
        if self._path is None:
            return
        fresh = self._open()
        with self._lock:
            old, self._fd = self._fd, fresh
        os.close(old)

    def close(self) -> None:
        """Close the file; what is finished from then on is lost."""
        with self._lock:
            os.close(self._fd)
            self._fd = _CLOSED

    def _open(self) -> int:
        if self._path is None:
            return os.dup(2)
        try:
            return os.open(self._path, _FLAGS, _MODE)
        except OSError as error:
            raise InputError(
                f"the access log cannot be written: {error.strerror}", where=safe(str(self._path))
            ) from error


def log_line(request: Request, response: Response, *, sent: int, now: float, users: bool) -> str:
    """The line of one request, with its line feed.

    Args:
        request: as it came.
        response: what it is answered with.
        sent: bytes of the body.
        now: seconds since the epoch.
        users: whether to name the user: only where somebody has checked the password.
    """
    credentials = basic_credentials(request) if users else None
    known = response.status != _UNAUTHORIZED
    user = _escaped_name(credentials[0]) if credentials and known else ""
    referer, agent = (request.headers.get(name, "") for name in ("referer", "user-agent"))
    return (
        f"{request.peer or '-'} - {user or '-'} [{_time(now)}]"
        f' "{escaped(request.method)} {escaped(request.target)} HTTP/1.1"'
        f" {int(response.status)} {sent or '-'}"
        f' "{escaped(referer) or "-"}" "{escaped(agent) or "-"}"\n'
    )


def escaped(text: str) -> str:
    """The text of a header (latin-1) as a quoted field can hold it: no quotes, printable ASCII."""
    return "".join(
        character if " " <= character <= "~" and character not in '"\\' else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    return f"\\{character}" if character in '"\\' else f"\\x{ord(character):02x}"


def _escaped_name(user: str) -> str:
    """A name as a field without quotes can hold it."""
    return escaped(user.encode().decode("latin-1")).replace(" ", r"\x20")


def _time(now: float) -> str:
    moment = time.gmtime(now)
    month = _MONTHS[moment.tm_mon - 1]
    return f"{moment.tm_mday:02}/{month}/{time.strftime('%Y:%H:%M:%S', moment)} +0000"
