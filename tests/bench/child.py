"""Runs commands one after another and tells what they took, as one line of JSON.

A small process of its own (`python -I -S child.py`): the kernel counts the memory of whoever
starts a program as that program's peak until its exec, so a large parent would blur the figure.
The commands come as JSON on stdin: `[["program", "argument"], …]`.
"""

from __future__ import annotations

import json
import os
import sys
import time

_SILENT = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)


def main() -> None:
    """Run them; the peak is the largest of them, time and CPU are sums."""
    commands = json.load(sys.stdin)
    seconds = cpu = 0.0
    peak = 0
    for argv in commands:
        start = time.perf_counter()
        pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[_SILENT])
        _, status, usage = os.wait4(pid, 0)
        seconds += time.perf_counter() - start
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
        if status:
            sys.exit(f"{argv}: status {os.waitstatus_to_exitcode(status)}")
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak * 1024}))


if __name__ == "__main__":
    main()
