"""The process that reads packages: one request on stdin, one answer on stdout, within limits.

    parent --request--> limits -> compare_layers --answer--> parent

It has no environment, no standard error and cannot write files. The parent keeps stdin open as
long as it lives and waits: when it ends, this process ends.
"""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from typing import Final

from pinner.inventory.exchange import (
    ANSWER_LIMIT,
    REQUEST_LIMIT,
    dump_answer,
    load_request,
)
from pinner.inventory.model import PackageChanges
from pinner.inventory.pipeline import compare_layers

MEMORY: Final = 384 * 1024 * 1024
"""Bytes of address space."""
_FILES: Final = 32
_READ: Final = 64 * 1024
_STACK: Final = 256 * 1024
_STDIN: Final = 0
_STDOUT: Final = 1


def main() -> None:
    """Read the request, set the limits, answer."""
    request = load_request(_line())
    _limit(request.cpu)
    threading.stack_size(_STACK)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = dump_answer(compare_layers(request.before, request.after))
    except MemoryError:
        answer = _note(f"they need more memory than {MEMORY // 1024**2} MiB")
    if len(answer) > ANSWER_LIMIT:
        answer = _note("there are too many changes")
    while answer:
        answer = answer[os.write(_STDOUT, answer) :]
    os._exit(0)  # nothing is to be tidied up, and taking the interpreter apart takes time


def _note(why: str) -> bytes:
    return dump_answer(PackageChanges(notes=(f"packages not read: {why}",)))


def _line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n") and len(line) <= REQUEST_LIMIT:
        piece = os.read(_STDIN, _READ)
        if not piece:
            break
        line += piece
    return bytes(line)


def _end_with_parent() -> None:
    while os.read(_STDIN, _READ):
        pass
    os._exit(1)


def _limit(cpu: int) -> None:
    """A second wall behind the limits that reading itself keeps."""
    limits = {
        resource.RLIMIT_AS: (MEMORY, MEMORY),
        resource.RLIMIT_CPU: (cpu, cpu + 1),  # the first ends it with a signal that says why
        resource.RLIMIT_NOFILE: (_FILES, _FILES),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, wanted in limits.items():
        with contextlib.suppress(OSError, ValueError):  # macOS has no limit of address space
            hard = resource.getrlimit(kind)[1]
            soft, most = wanted if hard < 0 else (min(each, hard) for each in wanted)
            resource.setrlimit(kind, (soft, most))
