"""Token servers' requests and answers (distribution's token specification, OAuth 2).

    anonymous       GET
    user, password  GET with Basic; POST grant_type=password where GET is answered 404 or 405
    identity token  POST grant_type=refresh_token; where that is answered 401, 404 or 405, and
                    there is a password as well, go on as for user and password

Refresh tokens in answers are not read: pinner asks for none, stores none and sends none elsewhere.
"""

from __future__ import annotations

import base64
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from pinner.errors import ProtocolError
from pinner.registry.exchange import TOKEN_LIMIT, TokenRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pinner.registry.challenge import Challenge
    from pinner.registry.credentials import Credential
    from pinner.registry.endpoints import Scope
    from pinner.registry.exchange import Exchange, TokenReply
    from pinner.registry.urls import Url

_CLIENT: Final = "pinner"
_SHORTEST: Final = 60.0  # what counts where the server states no lifetime, says the specification
_LONGEST: Final = 3600.0
_NEXT_TRIED: Final = {"GET": frozenset({404, 405}), "POST": frozenset({401, 404, 405})}
# What a header carries unharmed; RFC 6750 allows less, and registries use more.
_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)
_RESOURCE: Final = re.compile(r"[^\s:]+:\S+:[^\s:]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What opens a scope for a while.

    Attributes:
        value: visible ASCII; never shown.
        lifetime: seconds, counted from the request.
    """

    value: str = field(repr=False)
    lifetime: float


def basic(user: str, password: str) -> str:
    """The value of `Authorization` that carries user and password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def wish_of(challenge: Challenge, scope: Scope | None) -> dict[str, str]:
    """What a token server is asked for: `service` and `scope`; without one, only who one is.

    The scope is ours, however much more the challenge names, except where the registry's scopes
    are of another kind altogether (public.ecr.aws: `aws`).
    """
    named = challenge.parameters.get("scope", "").split()
    of_another_kind = named and not any(_RESOURCE.fullmatch(name) for name in named)
    service = challenge.parameters.get("service", "")
    wanted = " ".join(named) if of_another_kind else str(scope or "")
    return {
        **({"service": service} if service else {}),
        **({"scope": wanted} if wanted else {}),
    }


def ask_for_token(
    server: Url, wish: Mapping[str, str], login: Credential | None, exchange: Exchange
) -> TokenReply:
    """A token server's answer, whatever its status, after this module's fallbacks.

    Args:
        server: one that may be asked, and may be given `login`.
        wish: of `wish_of`.
        login: None to ask anonymously.
        exchange: sends the requests.
    """
    *firsts, last = token_requests(server, wish, login)
    for request in firsts:
        reply = exchange(request)
        if reply.status not in _NEXT_TRIED[request.method]:
            return reply
    return exchange(last)


def token_requests(
    server: Url, wish: Mapping[str, str], login: Credential | None
) -> Sequence[TokenRequest]:
    """The requests that may bring a token, in the order in which they are tried; at least one."""
    if login is None:
        return [_get(server, wish)]
    oauth = {**wish, "client_id": _CLIENT}
    requests = []
    if login.identity_token:
        form = {
            **oauth,
            "grant_type": "refresh_token",
            "refresh_token": login.identity_token,
        }
        requests.append(TokenRequest(method="POST", url=server, form=form))
    if login.password or not login.identity_token:
        query = {**oauth, "account": login.user}
        requests.append(_get(server, query, basic(login.user, login.password)))
        form = {
            **oauth,
            "grant_type": "password",
            "username": login.user,
            "password": login.password,
        }
        requests.append(TokenRequest(method="POST", url=server, form=form))
    return requests


def _get(server: Url, query: Mapping[str, str], authorization: str | None = None) -> TokenRequest:
    """A GET: each scope has a parameter of its own, as the specification wants it."""
    joint = "&" if "?" in server.target else "?"
    fields = {**query, "scope": query["scope"].split()} if "scope" in query else query
    url = server.with_target(f"{server.target}{joint}{urlencode(fields, doseq=True)}")
    return TokenRequest(method="GET", url=url, authorization=authorization)


def read_token(reply: TokenReply, server: Url) -> Token:
    """The token of a successful answer.

    Raises:
        ProtocolError: too large, not JSON, or without a token that a header can carry.
    """
    if len(reply.body) > TOKEN_LIMIT:
        raise ProtocolError(f"a token of more than {TOKEN_LIMIT // 1024} KiB", where=str(server))
    document: Any
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProtocolError("the token server's answer is not a JSON object", where=str(server))
    value = document.get("token") or document.get("access_token")
    if not isinstance(value, str) or not _VISIBLE.fullmatch(value):
        raise ProtocolError("the token server's answer has no usable token", where=str(server))
    return Token(value=value, lifetime=_lifetime(document.get("expires_in")))


def _lifetime(stated: object) -> float:
    """The stated seconds, between a minute and an hour; what is no number counts as unstated."""
    if not isinstance(stated, int | float) or math.isnan(stated):
        return _SHORTEST
    return float(min(max(stated, _SHORTEST), _LONGEST))
