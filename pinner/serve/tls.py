"""TLS for the server: a certificate with its key."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from pinner.errors import InputError
from pinner.terminal import safe

if TYPE_CHECKING:
    from pathlib import Path


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server speaks TLS with.

    Raises:
        InputError: a file cannot be read, or they do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise InputError(
            f"the certificate or its key cannot be used: {error.strerror or error}",
            where=safe(str(certificate)),
        ) from error
    return context
