"""Where to listen: `HOST:PORT` as the command line has it."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from pinner.errors import InputError
from pinner.terminal import safe

_ADDRESS: Final = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]]+)):(?P<port>[0-9]{1,5})")
_PORT_LIMIT: Final = 65535


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000`; port 0 is any.

    Raises:
        InputError: it is not of this form, or the host is a name other than `localhost`.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > _PORT_LIMIT:
        raise InputError(
            f'"{safe(text, limit=160)}" is not an address to listen on',
            mend='write HOST:PORT: "127.0.0.1:5000", "[::1]:5000", "0.0.0.0:5000" for all',
        )
    host = found["six"] or found["host"]
    ip_address(host)
    return host, int(found["port"])


def ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that a host to listen on stands for.

    Args:
        host: an IP address, or `localhost`: 127.0.0.1.

    Raises:
        InputError: another name.
    """
    try:
        return ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise InputError(
            f'cannot listen on "{safe(host, limit=160)}"',
            mend="give an IP address of this machine, or localhost",
        ) from None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the IP address."""
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


def is_any(host: str) -> bool:
    """Whether the IP address stands for all of this machine's."""
    return ipaddress.ip_address(host.partition("%")[0]).is_unspecified
