"""Credential helpers: `docker-credential-SUFFIX ACTION`, as docker and podman run them.

    get     stdin   the server's name
            stdout  {"ServerURL": …, "Username": …, "Secret": …}
    store   stdin   {"ServerURL": …, "Username": …, "Secret": …}
    erase   stdin   the server's name

A status other than 0 says no, and stdout why not.

The user name `<token>` means that the secret is an identity token. What a helper prints is never
shown: it is a secret, or can hold one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from pinner.errors import InputError
from pinner.registry.authfile import Credential
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PREFIX: Final = "docker-credential-"
_SUFFIX: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", re.ASCII)
_TIMEOUT: Final = 10.0
PATIENT: Final = 60.0
"""Seconds for a helper while its user sits there: it may ask for a passphrase before it stores."""

_LIMIT: Final = 256 * 1024
_READ: Final = 64 * 1024
_TOKEN_USER: Final = "<token>"  # noqa: S105 - a name that stands for none
_NOT_FOUND: Final = b"credentials not found"
_MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a helper ended.

    Attributes:
        status: 0 is good.
        output: its stdout.
    """

    status: int
    output: bytes = field(repr=False)


class HelperFailure(Exception):  # noqa: N818 - what went wrong, for `ask_helper` to tell
    """A helper could not be run to its end; the message says why."""


class Runner(Protocol):
    """Runs a program."""

    def __call__(self, name: str, argument: str, stdin: bytes) -> Finished:
        """The end of `name argument`.

        Raises:
            HelperFailure: not there, not startable, too slow, or too much output.
        """
        ...


def ask_helper(suffix: str, server: str, *, source: str, run: Runner) -> Credential | None:
    """The login that a helper has for a server; None if it has none.

    Args:
        suffix: of the helper's name.
        server: what to ask for.
        source: file and key that name the helper, for messages.
        run: runs it.

    Raises:
        InputError: the suffix is no part of a program's name, or the helper failed.
    """
    name = _checked_name(suffix, source)
    finished = _finished(run, name, "get", server.encode(), source)
    if finished.status != 0:
        if _NOT_FOUND in finished.output.lower():
            return None
        raise InputError(
            f"{name} failed with status {finished.status}",
            where=source,
            mend=f"to see why: echo {safe(server)} | {name} get",
        )
    return _credential(finished.output, name, source)


def store_in_helper(
    suffix: str, server: str, credential: Credential, *, source: str, run: Runner
) -> None:
    """Give a helper user and password for a server; they go to its stdin.

    Raises:
        InputError: as `ask_helper`.
    """
    name = _checked_name(suffix, source)
    document = {"ServerURL": server, "Username": credential.user, "Secret": credential.password}
    finished = _finished(run, name, "store", json.dumps(document).encode(), source)
    if finished.status != 0:
        raise InputError(
            f"{name} did not store the login: status {finished.status}",
            where=source,
            mend="what it says is not shown, since it may hold the password",
        )


def erase_from_helper(suffix: str, server: str, *, source: str, run: Runner) -> bool:
    """Have a helper forget a server; whether it knew it, as far as it says.

    Raises:
        InputError: as `ask_helper`.
    """
    name = _checked_name(suffix, source)
    finished = _finished(run, name, "erase", server.encode(), source)
    if finished.status == 0:
        return True
    if _NOT_FOUND in finished.output.lower():
        return False
    raise InputError(
        f"{name} did not erase the login: status {finished.status}",
        where=source,
        mend=f"to see why: echo {safe(server)} | {name} erase",
    )


def program_name(suffix: str) -> str:
    """The helper's program, safe to print."""
    return _PREFIX + safe(suffix, limit=80)


def _checked_name(suffix: str, source: str) -> str:
    if not _SUFFIX.fullmatch(suffix):
        raise InputError(
            f'"{safe(suffix, limit=80)}" is not a helper\'s name',
            where=source,
            mend="letters, digits, dots, hyphens and underscores: docker-credential-NAME is run",
        )
    return _PREFIX + suffix


def _finished(run: Runner, name: str, action: str, stdin: bytes, source: str) -> Finished:
    try:
        return run(name, action, stdin)
    except HelperFailure as failure:
        raise InputError(f"{name} {failure}", where=source) from failure


def _credential(output: bytes, name: str, source: str) -> Credential | None:
    document: Any
    try:
        document = json.loads(output)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InputError(f"{name} did not answer with a JSON object", where=source)
    user, secret = document.get("Username", ""), document.get("Secret", "")
    if not isinstance(user, str) or not isinstance(secret, str):
        raise InputError(f"{name} did not answer with Username and Secret", where=source)
    if not secret:
        return None
    if user == _TOKEN_USER or not user:
        return Credential(identity_token=secret)
    return Credential(user=user, password=secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRunner:
    """Runs helpers as processes, found on the PATH of `environ`, without a shell.

    Attributes:
        environ: the helper's environment.
        timeout: seconds until it is killed, with all that it has started.
        monotonic: seconds that never jump.
    """

    environ: Mapping[str, str] = field(repr=False)
    timeout: float = _TIMEOUT
    monotonic: Callable[[], float] = time.monotonic

    def __call__(self, name: str, argument: str, stdin: bytes) -> Finished:
        """The end of a program; as `Runner` says."""
        program = shutil.which(name, path=self.environ.get("PATH", os.defpath))
        if program is None:
            raise HelperFailure("is not installed")
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and the name is checked
                [program, argument],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=dict(self.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise HelperFailure(f"cannot be started: {error.strerror}") from error
        with process:
            try:
                return self._run(process, stdin)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise

    def _run(self, process: subprocess.Popen[bytes], stdin: bytes) -> Finished:
        end = self.monotonic() + self.timeout
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(stdin)
        descriptor = process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        output = bytearray()
        while True:
            left = end - self.monotonic()
            if left <= 0 or not poll.poll(left * _MILLISECONDS):
                raise HelperFailure(f"did not answer within {self.timeout:g} s")
            piece = os.read(descriptor, _READ)
            if not piece:
                return Finished(status=self._status(process, end), output=bytes(output))
            output += piece
            if len(output) > _LIMIT:
                raise HelperFailure(f"answered more than {_LIMIT // 1024} KiB")

    def _status(self, process: subprocess.Popen[bytes], end: float) -> int:
        try:
            return process.wait(max(end - self.monotonic(), 0))
        except subprocess.TimeoutExpired:
            raise HelperFailure(f"did not end within {self.timeout:g} s") from None
