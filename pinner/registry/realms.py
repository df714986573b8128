"""Which token servers are asked, and which of them are given a login (T6 in faults.md, A01-A06).

The registry's challenge names the token server: its realm. Left unchecked, that sends requests
into the user's own network and credentials to strangers (CVE-2026-48978, CVE-2026-33540).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from pinner.errors import ProtocolError
from pinner.registry.addresses import Reach, reach_of
from pinner.registry.urls import InvalidUrl, Url

if TYPE_CHECKING:
    from pinner.registry.endpoints import Endpoint

_TOKEN_HOSTS: Final = {"nvcr.io": "authn.nvidia.com"}
"""Token servers that are known to belong to a registry though their names share nothing."""

# Domains whose direct subdomains belong to different customers. The list cannot be complete and
# need not be: a registry that wants the login for itself can ask for it with Basic.
_SHARED_DOMAINS: Final = frozenset(
    {"amazonaws.com", "azurecr.io", "azurewebsites.net", "jfrog.io", "pkg.dev", "run.app"}
)
_COUNTRY: Final = 2  # characters of a country's top-level domain
_GENERIC: Final = 3  # at most, of what a country puts below it: co.uk, com.au


def token_server(realm: str, endpoint: Endpoint) -> Url:
    """The URL that a challenge of `endpoint` names as its token server.

    Raises:
        ProtocolError: no URL of http or https; http though the registry has https; or an address
            in a private network that is not the registry's own. No request has been sent.
    """
    where = endpoint.registry
    if not realm:
        raise ProtocolError("it asks for a token and does not say where to get it", where=where)
    try:
        url = Url.parse(realm)
    except InvalidUrl as error:
        raise ProtocolError(f"its token server is not asked: {error.what}", where=where) from error
    if url.origin.scheme == "http" and endpoint.origin.scheme == "https":
        raise ProtocolError(f"its token server is not asked over plain http: {url}", where=where)
    reach = reach_of(url.origin.host)
    own = (url.origin.host, url.origin.port) == (endpoint.origin.host, endpoint.origin.port)
    on_loopback = reach is Reach.LOOPBACK is reach_of(endpoint.origin.host)
    if reach is not Reach.PUBLIC and not own and not on_loopback:
        raise ProtocolError(
            f"its token server is not asked, since its address is {reach.value}: {url}", where=where
        )
    return url


def is_given_logins(server: Url, endpoint: Endpoint) -> bool:
    """Whether the registry's login may be sent to a token server that passed `token_server`.

    It may if the server is the registry's own host, belongs to the same site, or is known to
    belong to the registry. Over plain http it must be the same host.
    """
    host, registry = server.origin.host, endpoint.origin.host
    if host == registry or reach_of(host) is Reach.LOOPBACK is reach_of(registry):
        return True
    if server.origin.scheme != "https":
        return False
    site = _site(host)
    return _TOKEN_HOSTS.get(endpoint.registry) == host or (
        site is not None and site == _site(registry)
    )


def _site(host: str) -> str | None:
    """The part of a name that somebody has registered; None for addresses and bare names.

    Without a list of public suffixes this is an estimate: two labels, three below countries that
    sell names like co.uk and below shared domains.
    """
    labels = host.removesuffix(".").split(".")
    if len(labels) <= 1 or _is_address(host):
        return None
    shared = ".".join(labels[-2:]) in _SHARED_DOMAINS
    national = len(labels[-1]) == _COUNTRY and len(labels[-2]) <= _GENERIC
    wanted = 3 if shared or national else 2
    return ".".join(labels[-wanted:]) if len(labels) >= wanted else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return reach_of(host) is not Reach.PUBLIC
    return True
