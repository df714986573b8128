"""Runs a command in a terminal of its own and keeps what the terminal showed, moment by moment."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Final

from docpages.screen import Screen

if TYPE_CHECKING:
    from docpages.room import Room

_CHUNK: Final = 65536
_PATIENCE: Final = 120


def watch(room: Room, command: str, *, columns: int, rows: int) -> list[list[str]]:
    """The lines on the screen after each piece of output; the last is how the command left it.

    Args:
        room: where it runs.
        command: for the shell.
        columns: of the terminal.
        rows: of the terminal.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {**room.environment, "TERM": "xterm-256color"}
    for fixed in ("COLUMNS", "LINES"):
        environment.pop(fixed)
    process = subprocess.Popen(
        ["sh", "-c", command],
        cwd=room.project,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        moments = _moments(ours)
        process.wait(_PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return [[room.shown(line) for line in lines] for lines in moments]


def _moments(terminal: int) -> list[list[str]]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    screen = Screen()
    moments: list[list[str]] = []
    rest = ""
    while True:
        try:
            data = os.read(terminal, _CHUNK)
        except OSError:  # EIO is how Linux says that the other side was closed
            data = b""
        if not data:
            return moments
        output = rest + decoder.decode(data)
        cut = output.rfind("\x1b") if "\x1b" in output[-8:] else len(output)
        rest = output[cut:]
        screen.feed(output[:cut])
        moments.append(list(screen.lines))
