"""TLS for the server: the certificate it shows, and a channel that speaks it.

Files go through OpenSSL in pieces of many records, without the interpreter's lock, and the kernel
waits for the client between them. It could encrypt as well (kTLS), but Python tells neither whether
OpenSSL handed it the keys nor offers OpenSSL's sendfile.
"""

from __future__ import annotations

import contextlib
import http
import os
import socket
import ssl
from typing import TYPE_CHECKING, Final, NoReturn

from pinner.errors import InputError
from pinner.serve.channel import Channel
from pinner.serve.http1 import BadHead
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_CHUNK: Final = 16 * 1024  # a whole record, so that OpenSSL never keeps a part of one
_PIECE: Final = 128 * 1024  # each connection that sends a file holds one
_HANDSHAKE: Final = b"\x16"  # how TLS begins
_MISMATCHES: Final = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")  # same kind, other kind
_MAKES: Final = "openssl req -x509 -newkey ed25519 -nodes makes a pair"


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server needs for TLS 1.2 and newer.

    Args:
        certificate: PEM; the server's own first, then those between it and the authority.
        key: its private key, PEM, not encrypted; may be the same file.

    Raises:
        InputError: a file is missing, unreadable or something else; the key is encrypted, or
            another certificate's.
    """
    for path in (certificate, key):
        _check_readable(path)
    # Not `create_default_context`, which would log the keys wherever the environment says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])

    def encrypted() -> NoReturn:  # asked for a password; a terminal is never asked here
        raise InputError(
            "the private key is encrypted",
            where=safe(str(key)),
            mend="give one without a password: openssl pkey -in KEY -out PLAIN",
        )

    try:
        context.load_cert_chain(certificate, key, password=encrypted)
    except ssl.SSLError as error:
        if error.reason in _MISMATCHES:
            raise InputError(
                f"the private key is not that of the certificate {safe(str(certificate))}",
                where=safe(str(key)),
                mend="give the key that the certificate was made for",
            ) from error
        raise _unusable(certificate, key, error.reason) from error
    except OSError as error:  # gone since it was looked at: somebody renews the pair now
        raise _unreadable(certificate, error) from error
    return context


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be read: {error.strerror}",
        where=safe(str(path)),
        mend="TLS needs a certificate and its private key, both PEM files",
    )


def _unusable(certificate: Path, key: Path, reason: str | None) -> InputError:
    if reason:  # such as a key that is too small
        said = reason.lower().replace("_", " ")
        return InputError(f"OpenSSL refuses it: {said}", where=safe(str(certificate)), mend=_MAKES)
    # Which of the two files it could not read, it does not say.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        what, path = "holds no certificate (PEM) that can be used", certificate
    else:
        what, path = "holds no private key (PEM) that can be used", key
    return InputError(what, where=safe(str(path)), mend=_MAKES)


class TlsChannel(Channel):
    """Encrypted bytes, in and out; a client that speaks plain http can be told so."""

    def __init__(self, client: socket.socket, context: ssl.SSLContext, *, patience: float) -> None:
        """Take over a connected socket; nothing is sent or waited for yet.

        Raises:
            OSError: it is not connected any more.
        """
        self._tls = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        self._plain = False
        super().__init__(self._tls, patience=patience)

    def begin(self) -> None:
        """Shake hands, within the client's patience.

        Raises:
            BadHead: the client speaks plain http; what is sent from now on is plain.
            OSError: it does not speak TLS as it should, or left.
        """
        self._tune()
        self._tls.settimeout(self._patience)
        first = self._peek()
        if first and first != _HANDSHAKE:
            self._plain = True
            super().begin()
            raise BadHead(http.HTTPStatus.BAD_REQUEST, "this port speaks TLS: ask it by https")
        self._tls.do_handshake()

    def receive(self, within: float) -> bytes:
        """The next bytes; none where the client has nothing more to say.

        Raises:
            TimeoutError: none came within so many seconds.
        """
        self._tls.settimeout(within)
        # OpenSSL takes an end without a goodbye for an attack and answers with an alert; a client
        # that just leaves, and `stop_receiving`, are neither.
        if not self._peek():
            return b""
        return self._tls.recv(_CHUNK)

    def send(self, data: bytes) -> None:
        """All of `data`."""
        if self._plain:
            super().send(data)
            return
        self._tls.settimeout(self._patience)
        self._send_pieces(data)

    def send_file(self, head: bytes, file: BinaryIO, start: int, length: int) -> None:
        """All of `head`, then `length` bytes of an unbuffered file from `start`.

        Raises:
            ConnectionAbortedError: the file shrank: a cut connection, never a short blob.
            TimeoutError: the client took nothing for as long as its patience.
        """
        with self._waiting_in_the_kernel():
            self._send_pieces(head)
            file.seek(start)
            buffer = memoryview(bytearray(min(_PIECE, length)))
            while length:
                count = file.readinto(buffer[:length])  # type: ignore[attr-defined] # BinaryIO
                if not count:
                    raise ConnectionAbortedError
                self._send_pieces(buffer[:count])
                length -= count

    def end(self) -> None:
        """Tell the client, by TLS and by TCP, that nothing more will be sent."""
        self._say_goodbye()
        super().end()

    def discard(self, within: float) -> bool:
        """Throw away what the client sends next; False where it has nothing more to say."""
        self._tls.settimeout(within)
        return bool(socket.socket.recv(self._tls, _CHUNK))

    def dismiss(self, data: bytes) -> None:
        """Nothing: a client cannot be told before the handshake."""

    def close(self) -> None:
        """Take leave as TLS wants it, so that the client knows nothing was cut off, and close."""
        self._say_goodbye()
        super().close()

    def _peek(self) -> bytes:
        return socket.socket.recv(self._tls, 1, socket.MSG_PEEK)

    def _send_pieces(self, data: bytes | memoryview) -> None:
        # One piece at a time: the client's patience is for each of them.
        rest = memoryview(data)
        while rest:
            count = self._tls.send(rest[:_PIECE])
            self.sent += count
            rest = rest[count:]

    @contextlib.contextmanager
    def _waiting_in_the_kernel(self) -> Iterator[None]:
        """Let OpenSSL write record after record, each of which waits for room by itself.

        Python, given a timeout, makes a socket one that never waits, asks `poll` for room behind
        each write that found none, and takes the interpreter's lock around it. Here only the
        timeout is Python's: it ends a piece once the kernel's own (`SO_SNDTIMEO`) has passed.
        """
        self._tls.settimeout(self._patience)
        self._limit(socket.SO_SNDTIMEO, self._patience)
        os.set_blocking(self._tls.fileno(), True)
        yield
        # Where the block failed, the connection ends.
        os.set_blocking(self._tls.fileno(), False)

    def _say_goodbye(self) -> None:
        # Said without waiting for the client's own, which clients seldom send.
        with contextlib.suppress(OSError, ValueError):
            self._tls.settimeout(0)
            self._tls.unwrap()
