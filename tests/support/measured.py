"""Runs a program and writes the most memory that it had, in KiB (macOS: bytes), to a file.

    python -I -S measured.py FILE PROGRAM ARGUMENT...

The kernel counts what a process had before it became another program. A child of the tests would
have their memory on its account; a child of this small one has little of its own.
"""

from __future__ import annotations

import os
import sys


def main(path: str, *program: str) -> int:
    """Run the program; its exit code, below zero for a signal."""
    child = os.posix_spawn(program[0], program, os.environ)
    _, status, usage = os.wait4(child, 0)
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs a third of all
        file.write(str(usage.ru_maxrss))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
