"""A client's socket on which every wait has an end.

The kernel keeps the time (`SO_RCVTIMEO`, `SO_SNDTIMEO`): a receive is one system call, and so is a
send. A timeout of Python's own costs two more for each, and with many threads every one of them is
a fight for the interpreter's lock. `tls.TlsChannel` is the same over TLS.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

_CHUNK: Final = 16 * 1024
# A head waits for the first bytes of its file, so that both leave in one packet; macOS lacks it.
_MORE_FOLLOWS: Final = getattr(socket, "MSG_MORE", 0)
# Unsent bytes that the kernel takes ahead. Without a limit it takes megabytes for each connection,
# and 64 downloads cost twice the CPU (docs/adr/0002). What is on its way to a client far off is not
# counted, so it may be as much as the path holds.
_AHEAD: Final = 128 * 1024
_LONG_TIMEVAL: Final = 16  # bytes; two 32-bit words on some 32-bit machines


class Channel:
    """Plain bytes, in and out; past TLS, where the socket has it.

    Attributes:
        sent: bytes that were handed to the kernel for the client, TLS's own not counted.
    """

    def __init__(self, client: socket.socket, *, patience: float) -> None:
        """Take over a connected socket.

        Args:
            client: closed by `close`.
            patience: seconds in which the client has to take the next bytes.
        """
        self.sent = 0
        self._socket = client
        self._patience = patience
        self._within = 0.0

    def begin(self) -> None:
        """Prepare to talk; in the client's own thread.

        Raises:
            OSError: it is not connected any more.
        """
        self._tune()
        self._socket.settimeout(None)
        self._limit(socket.SO_SNDTIMEO, self._patience)

    def receive(self, within: float) -> bytes:
        """The next bytes; none where the client has nothing more to say.

        Raises:
            TimeoutError: none came within so many seconds.
        """
        if within != self._within:
            self._limit(socket.SO_RCVTIMEO, within)
            self._within = within
        try:
            return socket.socket.recv(self._socket, _CHUNK)
        except BlockingIOError:
            raise TimeoutError from None

    def send(self, data: bytes) -> None:
        """All of `data`."""
        self._send(data, 0)

    def send_file(self, head: bytes, file: BinaryIO, start: int, length: int) -> None:
        """All of `head`, then `length` bytes of an unbuffered file from `start`.

        Raises:
            ConnectionAbortedError: the file shrank: a cut connection, never a short blob.
            TimeoutError: the client took nothing for as long as its patience.
        """
        self._send(head, _MORE_FOLLOWS if length else 0)
        if not length:
            return
        client, source, stop = self._socket.fileno(), file.fileno(), start + length
        # A send that waits in the kernel would wait once for each part of what fits.
        self._socket.settimeout(0)
        room = select.poll()
        room.register(client, select.POLLOUT)
        while start < stop:
            try:
                count = os.sendfile(client, source, start, stop - start)
            except BlockingIOError:
                if not room.poll(self._patience * 1000):
                    raise TimeoutError from None
                continue
            if not count:
                raise ConnectionAbortedError
            start += count
            self.sent += count
        self._socket.settimeout(None)

    def end(self) -> None:
        """Tell the client that nothing more will be sent."""
        self._shut(socket.SHUT_WR)

    def discard(self, within: float) -> bool:
        """Throw away what the client sends next; False where it has nothing more to say."""
        return bool(self.receive(within))

    def dismiss(self, data: bytes) -> None:
        """Send what can be sent at once, to a client that is not begun with."""
        self._socket.settimeout(0)
        self._socket.send(data)

    def stop_receiving(self) -> None:
        """Let `receive` end now; what is being sent goes on. Called from another thread."""
        self._shut(socket.SHUT_RD)

    def cut(self) -> None:
        """Let whatever waits fail now. Called from another thread."""
        self._shut(socket.SHUT_RDWR)

    def close(self) -> None:
        """Release the socket; called by the client's own thread alone."""
        self._socket.close()

    def _tune(self) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _AHEAD)

    def _send(self, data: bytes, flags: int) -> None:
        rest = memoryview(data)
        while rest:
            count = socket.socket.send(self._socket, rest, flags)
            self.sent += count
            rest = rest[count:]

    def _limit(self, option: int, seconds: float) -> None:
        # Zero would mean for ever.
        microseconds = max(1, round(seconds * 1e6))
        size = len(self._socket.getsockopt(socket.SOL_SOCKET, option, _LONG_TIMEVAL))
        timeval = struct.pack(
            "=qq" if size == _LONG_TIMEVAL else "=ll", *divmod(microseconds, 10**6)
        )
        self._socket.setsockopt(socket.SOL_SOCKET, option, timeval)

    def _shut(self, how: int) -> None:
        # Not an SSLSocket's own method, which would make its owner's next bytes plain ones.
        with contextlib.suppress(OSError):  # closed already
            socket.socket.shutdown(self._socket, how)
