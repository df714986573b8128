"""How a challenge is answered: with which login, asked of whom, and what a refusal says.

A grant is obtained or an error says why not. Logins stay at home where the registry is reached
over plain http (S20), or where its token server is a stranger (A06).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pinner.errors import AccessDenied, InputError, ProtocolError, RegistryError
from pinner.registry.credentials import ANONYMOUS
from pinner.registry.errorbody import read_error
from pinner.registry.realms import is_given_logins, token_server
from pinner.registry.tokens import ask_for_token, basic, read_token, wish_of
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.registry.challenge import Challenge
    from pinner.registry.credentials import Found
    from pinner.registry.endpoints import Endpoint, Scope
    from pinner.registry.exchange import Exchange, TokenReply
    from pinner.registry.urls import Url

_GOOD: Final = range(200, 300)
_NO_LOGIN: Final = "no basic auth credentials"  # docker's words
# 400 is OAuth's answer to a refresh token that has run out (invalid_grant).
_REFUSED: Final = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A login that was obtained.

    Attributes:
        authorization: the value of the header; never shown.
        lifetime: seconds, counted from when it was asked for.
        remark: whose login it is, for the case that the registry refuses it.
    """

    authorization: str = field(repr=False)
    lifetime: float = math.inf
    remark: str


def choose(challenges: Sequence[Challenge], endpoint: Endpoint) -> Challenge:
    """The challenge to answer: a Bearer that says where to go, else a Basic, else any Bearer.

    Raises:
        AccessDenied: there is neither.
    """
    bearers = [challenge for challenge in challenges if challenge.scheme == "bearer"]
    basics = [challenge for challenge in challenges if challenge.scheme == "basic"]
    complete = [challenge for challenge in bearers if challenge.parameters.get("realm")]
    for challenge in (*complete, *basics, *bearers):
        return challenge
    others = safe(", ".join(challenge.scheme for challenge in challenges), limit=80)
    raise AccessDenied(
        f"{endpoint.registry} wants a login of a kind that pinner does not know: {others}"
        if others
        else f"{endpoint.registry} refuses access and does not say which login it wants"
    )


def obtain(
    challenge: Challenge,
    *,
    endpoint: Endpoint,
    scope: Scope,
    found: Found | None,
    exchange: Exchange,
) -> Grant:
    """The answer to a challenge.

    Args:
        challenge: a chosen one.
        endpoint: who gave it.
        scope: what is wanted.
        found: the user's login for it, if there is one.
        exchange: carries requests to the token server.

    Raises:
        AccessDenied: there is no fitting login, or it was refused.
        InputError: there is a login that must not be sent.
        RegistryError: the token server failed, or must not be asked.
    """
    if found is not None and not endpoint.sends_credentials:
        raise InputError(
            f"the login found in {found.source} is not sent to {endpoint.registry} over plain http",
            mend="if that is meant, say plain-http = true for it in your own config.toml",
        )
    if challenge.scheme == "basic":
        return _basic(endpoint, scope, found)
    if found is not None and found.credential.registry_token:
        return Grant(
            authorization=f"Bearer {found.credential.registry_token}",
            remark=_remark(found, endpoint, scope),
        )
    return _bearer(challenge, endpoint, scope, found, exchange)


def _basic(endpoint: Endpoint, scope: Scope, found: Found | None) -> Grant:
    if found is None:
        error = _login_wanted(endpoint, scope)
        error.cause = _NO_LOGIN
        raise error
    login = found.credential
    if not login.user:
        raise AccessDenied(
            f"{endpoint.registry} wants user and password, and the login found in {found.source} "
            "is a token"
        )
    return Grant(
        authorization=basic(login.user, login.password), remark=_remark(found, endpoint, scope)
    )


def _bearer(
    challenge: Challenge,
    endpoint: Endpoint,
    scope: Scope,
    found: Found | None,
    exchange: Exchange,
) -> Grant:
    server = token_server(challenge.parameters.get("realm", ""), endpoint)
    given = found if found is not None and is_given_logins(server, endpoint) else None
    reply = ask_for_token(
        server, wish_of(challenge, scope), given.credential if given else None, exchange
    )
    withheld = found if given is None else None
    if reply.status not in _GOOD:
        raise _token_failure(reply, server, endpoint, scope, given=given, withheld=withheld)
    token = read_token(reply, server)
    return Grant(
        authorization=f"Bearer {token.value}",
        lifetime=token.lifetime,
        remark=_withheld(withheld, server) if withheld else _remark(given, endpoint, scope),
    )


def _token_failure(
    reply: TokenReply,
    server: Url,
    endpoint: Endpoint,
    scope: Scope,
    *,
    given: Found | None,
    withheld: Found | None,
) -> RegistryError:
    body = read_error(reply.content_type, reply.body)
    error = _refusal(reply, body.text, server, endpoint, scope, given=given, withheld=withheld)
    error.cause = body.cause
    return error


def _refusal(
    reply: TokenReply,
    said: str,
    server: Url,
    endpoint: Endpoint,
    scope: Scope,
    *,
    given: Found | None,
    withheld: Found | None,
) -> RegistryError:
    answered = f"{server.origin.authority} answered {reply.status}" + (f": {said}" if said else "")
    if reply.status not in _REFUSED:
        return ProtocolError(f"{answered} to the request for a token", where=endpoint.registry)
    if given is not None:
        return AccessDenied(
            f"{endpoint.registry} refused the login found in {given.source}",
            mend=(answered, _renew(endpoint, scope)),
        )
    if withheld is not None:
        return AccessDenied(
            f"{endpoint.registry} wants a login for {scope.repository}",
            mend=(answered, _withheld(withheld, server)),
        )
    return _login_wanted(endpoint, scope, answered)


def _login_wanted(endpoint: Endpoint, scope: Scope, *said: str) -> AccessDenied:
    return AccessDenied(
        f"{endpoint.registry} wants a login for {scope.repository}, and none was found",
        mend=(*said, f"if it exists: {_log_in(endpoint, scope)}"),
    )


def _log_in(endpoint: Endpoint, scope: Scope) -> str:
    return f"`pinner login {endpoint.registry}`; {_lookup(endpoint, scope)}"


def _renew(endpoint: Endpoint, scope: Scope) -> str:
    registry = endpoint.registry
    return (
        f"`pinner login {registry}` renews it; if the image is public, {ANONYMOUS}={registry} "
        f"asks without; {_lookup(endpoint, scope)}"
    )


def _lookup(endpoint: Endpoint, scope: Scope) -> str:
    return f"`pinner auth explain {endpoint.registry}/{scope.repository}` shows the lookup"


def _remark(given: Found | None, endpoint: Endpoint, scope: Scope) -> str:
    if given is None:
        return f"asked without a login: {_log_in(endpoint, scope)}"
    return f"asked with the login found in {given.source}; {_lookup(endpoint, scope)}"


def _withheld(found: Found, server: Url) -> str:
    return (
        f"the login found in {found.source} was not given to {server.origin}, "
        "which is not known to belong to the registry"
    )
