"""Questions on the terminal, and passwords from a pipe.

The terminal is /dev/tty, whatever stdin and stdout are; a password is not shown while it is typed.
"""

from __future__ import annotations

import sys
from typing import Final

from pinner.cli.failures import Usage
from pinner.errors import InputError

PASSWORD_LIMIT: Final = 16 * 1024
"""Bytes. With it, all that a credential helper is given fits into a pipe that nobody reads."""

_TTY: Final = "/dev/tty"


def ask_user(registry: str) -> str:
    """The user name that is typed on the terminal.

    Raises:
        Usage: there is no terminal.
    """
    try:
        with open(_TTY, encoding="utf-8") as answers, open(_TTY, "w", encoding="utf-8") as terminal:  # noqa: PTH123
            terminal.write(f"Username for {registry}: ")
            terminal.flush()
            return answers.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_terminal("a user name", "--username") from error


def ask_password() -> str:
    """The password that is typed on the terminal, unseen.

    Raises:
        Usage: there is no terminal.
    """
    from getpass import getpass  # noqa: PLC0415 - most logins in scripts do without

    try:
        with open(_TTY, "rb"):  # noqa: PTH123 - without one, getpass would read stdin, aloud
            pass
        return getpass("Password: ")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise _no_terminal("a password", "--password-stdin") from error


def piped_password() -> str:
    """The password on stdin, without the line end behind it, as docker has it.

    Raises:
        InputError: too long, or not UTF-8.
    """
    if sys.stdin is None:  # its descriptor was closed before the start
        return ""
    data = sys.stdin.buffer.read(PASSWORD_LIMIT + 1)
    if len(data) > PASSWORD_LIMIT:
        raise InputError(f"the password on stdin is longer than {PASSWORD_LIMIT // 1024} KiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError("the password on stdin is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")


def _no_terminal(what: str, option: str) -> Usage:
    return Usage(f"there is no terminal to ask for {what}", mend=f"give it by {option}")
