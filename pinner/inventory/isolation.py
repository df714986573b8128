"""Compares two images' packages in a process of its own, whose end is at worst a note.

Layers are hostile, and what reads them can have bugs: the process has limits on memory, processor
time and files, no environment, and is killed with its time. So reading packages can neither fail
an update nor hold it up.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.inventory.exchange import ANSWER_LIMIT, Request, dump_request, load_answer
from pinner.inventory.model import PackageChanges
from pinner.oci.strictjson import MalformedJson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pinner.inventory.contents import Layer

_START: Final = (
    "import sys; sys.path[:] = sys.argv[1:]; from pinner.inventory.child import main; main()"
)
_CPU: Final = 10
_CPU_RATE: Final = 8_000_000  # bytes of compressed layers a second: a fifth of what is usual
_WAIT_FACTOR: Final = 3
_WAIT: Final = 10
_PIECE: Final = 64 * 1024
_MILLISECONDS: Final = 1000
# Each thread's own arena of malloc would count as 64 MiB of the address space.
_ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "1"}


class _Failed(Exception):  # noqa: N818 - what went wrong, for a note
    """The process did not answer; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Starts processes that compare packages; usable from several threads at once.

    Attributes:
        monotonic: seconds that never jump.
        start: what Python runs; its arguments are the module path.
    """

    monotonic: Callable[[], float] = time.monotonic
    start: str = _START

    def __call__(self, before: Sequence[Layer], after: Sequence[Layer]) -> PackageChanges:
        """The packages that differ between two images, each given by its layers, lowest first.

        Raises nothing: a process that does not answer is a note.
        """
        layers = {each.descriptor.digest: each.descriptor for each in (*before, *after)}
        cpu = _CPU + sum(layer.size for layer in layers.values()) // _CPU_RATE
        request = Request(before=tuple(before), after=tuple(after), cpu=cpu)
        try:
            return load_answer(self._asked(dump_request(request), _WAIT + _WAIT_FACTOR * cpu))
        except (_Failed, MalformedJson) as error:
            why = "the reader's answer is malformed" if isinstance(error, MalformedJson) else error
            return PackageChanges(notes=(f"packages not read: {why}",))

    def _asked(self, request: bytes, seconds: float) -> bytes:
        """What the process answers.

        Raises:
            _Failed: it could not be started, took too long, or did not end well.
        """
        modules = [path for path in sys.path if os.path.isabs(path)]  # noqa: PTH117 - text alone
        try:
            process = subprocess.Popen(  # noqa: S603 - this Python, with arguments of our own
                [sys.executable, "-I", "-S", "-c", self.start, *modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                cwd="/",
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends the other
            )
        except OSError as error:
            raise _Failed(f"the reader cannot be started: {error.strerror}") from error
        with process:
            try:
                return self._exchange(process, request, self.monotonic() + seconds)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()

    def _exchange(self, process: subprocess.Popen[bytes], request: bytes, end: float) -> bytes:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        stdin, stdout = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(stdin, False)
        poll = select.poll()
        poll.register(stdin, select.POLLOUT)
        poll.register(stdout, select.POLLIN)
        answer = bytearray()
        while True:
            left = end - self.monotonic()
            ready = poll.poll(left * _MILLISECONDS) if left > 0 else []
            if not ready:
                raise _Failed("it took too long")
            for descriptor, _ in ready:
                if descriptor == stdin:
                    try:
                        request = request[os.write(stdin, request[:_PIECE]) :]
                    except BrokenPipeError:
                        request = b""
                    if not request:
                        poll.unregister(stdin)
                    continue
                piece = os.read(stdout, _PIECE)
                if not piece:
                    self._check_end(process, end)
                    return bytes(answer)
                answer += piece
                if len(answer) > ANSWER_LIMIT:
                    raise _Failed("the reader's answer is too long")

    def _check_end(self, process: subprocess.Popen[bytes], end: float) -> None:
        try:
            status = process.wait(max(end - self.monotonic(), 0))
        except subprocess.TimeoutExpired:
            raise _Failed("it took too long") from None
        if status == -signal.SIGXCPU:
            raise _Failed("it took too much processor time")
        if status < 0:
            raise _Failed(f"the reader was killed ({signal.Signals(-status).name})")
        if status:
            raise _Failed(f"the reader failed (status {status})")


compare_packages: Final = Reader()
"""Compares packages as `pipeline.compare_layers` does, in a process of its own."""
