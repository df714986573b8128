"""Where a host name leads as far as its spelling tells: to the world, or into a private network.

A server must not be able to point pinner at the user's own network (SSRF: faults.md T6, T7), so
redirects and token servers on such addresses are refused, however the address is spelled. Names
are not looked up: what a name resolves to can change between the look and the request.
"""

from __future__ import annotations

import enum
import ipaddress
import socket
from typing import Final

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_V4_BITS: Final = 0xFFFF_FFFF


class Reach(enum.Enum):
    """How far away an address is; the value is for messages."""

    PUBLIC = "public"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    LOOPBACK = "loopback"


def reach_of(host: str) -> Reach:
    """The reach of a host: an address in any spelling, `localhost`, or a name (public).

    Args:
        host: without port; IPv6 with or without brackets.
    """
    name = host.strip("[]").lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return Reach.LOOPBACK
    address = _address(name)
    if address is None:
        return Reach.PUBLIC
    if address.is_loopback or address.is_unspecified:  # 0.0.0.0 connects to this very machine
        return Reach.LOOPBACK
    if address.is_link_local:
        return Reach.LINK_LOCAL
    return Reach.PUBLIC if address.is_global and not address.is_multicast else Reach.PRIVATE


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return _odd_ipv4(name)
    if isinstance(address, ipaddress.IPv6Address):
        return _embedded_ipv4(address) or address
    return address


def _odd_ipv4(name: str) -> ipaddress.IPv4Address | None:
    """127.1, 2130706433, 0x7f.1, 0177.0.0.1: what the system's resolver takes for IPv4."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return None


def _embedded_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _V4_BITS)
    return address.ipv4_mapped or address.sixtofour
