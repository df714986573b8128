"""Tries a login at its registry, before it is stored.

    GET /v2/                          200: no login is asked for, so nothing is known of this one
    401, Basic     GET /v2/ with it   200: good; 401, 403: refused
    401, Bearer    a token for it, for no repository, from the token server (`realms` says which may
                   be asked, and be given it); then GET /v2/ with the token, as for Basic

No refresh token is asked for: registries are known to answer with one that does not work
(docs/credentials.md). What a server says once it has the login is shown only if it does not repeat
it: of a refusal the words, if the password is not among them; of other failures, ours alone.
"""

from __future__ import annotations

import base64
import contextlib
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from pinner.errors import AccessDenied, InputError, NotFound, ProtocolError, RegistryError
from pinner.registry.challenge import parse_challenges
from pinner.registry.courier import Ask
from pinner.registry.errorbody import LIMIT, read_error
from pinner.registry.grants import choose
from pinner.registry.realms import is_given_logins, token_server
from pinner.registry.tokens import ask_for_token, basic, read_token, wish_of
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.registry.authfile import Credential
    from pinner.registry.challenge import Challenge
    from pinner.registry.endpoints import Endpoint
    from pinner.registry.exchange import Exchange
    from pinner.registry.reply import Reply
    from pinner.registry.wire import Sender, Wire

_OK: Final = 200
_REFUSALS: Final = frozenset({400, 401, 403})
_PING: Final = frozenset({_OK, 401})
_TRIED: Final = frozenset({_OK, 401, 403})


class SignIn:
    """Tries user and password at one registry."""

    def __init__(
        self, *, endpoint: Endpoint, credential: Credential, wire: Wire, courier: Sender
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._wire = wire
        self._courier = courier

    def verify(self, exchange: Exchange) -> bool:
        """Whether the registry took the login; False where it asks for none.

        Args:
            exchange: carries requests to the token server.

        Raises:
            AccessDenied: it was refused; the mend has what the registry said.
            InputError: it must not be sent there, over plain http.
            RegistryError: no answer, or none of a registry; or the token server must not be asked,
                or not be given the login.
        """
        where = self._endpoint.registry
        if not self._endpoint.sends_credentials:
            raise InputError(
                f"a login is not sent to {where} over plain http",
                mend="if that is meant, say plain-http = true for it in your own config.toml",
            )
        status, headers, _ = self._ping(None)
        if status == _OK:
            return False
        challenge = choose(parse_challenges(headers), self._endpoint)
        authorization = (
            basic(self._credential.user, self._credential.password)
            if challenge.scheme == "basic"
            else self._token(challenge, exchange)
        )
        with self._own_words():
            status, _, said = self._ping(authorization)
        if status != _OK:
            raise self._refused(f"{where} answered {status}", said)
        return True

    def _token(self, challenge: Challenge, exchange: Exchange) -> str:
        server = token_server(challenge.parameters.get("realm", ""), self._endpoint)
        if not is_given_logins(server, self._endpoint):
            raise ProtocolError(
                f"its token server {server.origin} is not given the login, since it is not known "
                "to belong to the registry",
                where=self._endpoint.registry,
                mend="nothing was stored",
            )
        with self._own_words():
            reply = ask_for_token(server, wish_of(challenge, None), self._credential, exchange)
        if reply.status == _OK:
            return f"Bearer {read_token(reply, server).value}"
        said = read_error(reply.content_type, reply.body)
        answered = f"{server.origin.authority} answered {reply.status}"
        if reply.status in _REFUSALS:
            raise self._refused(answered, self._harmless(said.text, said.raw))
        raise ProtocolError(
            f"{answered} to the request for a token",
            where=self._endpoint.registry,
            mend=self._harmless(said.text, said.raw) or (),
        )

    def _ping(self, authorization: str | None) -> tuple[int, list[str], str]:
        """Status, challenges and words of `/v2/`.

        Raises:
            RegistryError: neither yes nor a challenge.
        """
        ask = Ask(method="GET", url=self._endpoint.root(), kind="ping", authorization=authorization)
        try:
            return self._wire.fetch(
                self._courier,
                ask,
                self._read,
                subject=f"the login at {self._endpoint.registry}",
                accepted=_PING if authorization is None else _TRIED,
            )
        except NotFound:
            raise ProtocolError(
                f"{self._endpoint.root()} is not there, so this is not a registry",
                where=self._endpoint.registry,
                mend="nothing was stored",
            ) from None

    def _read(self, reply: Reply) -> tuple[int, list[str], str]:
        with reply:
            if reply.redirected:
                raise ProtocolError(
                    f"{self._endpoint.root()} leads to {reply.url.origin}, where no login is sent",
                    where=self._endpoint.registry,
                    mend="nothing was stored",
                )
            body = reply.read(LIMIT)
            said = read_error(reply.headers.get("content-type", ""), body)
            challenges = reply.headers.get_list("www-authenticate")
            return reply.status, challenges, self._harmless(said.text, said.raw)

    @contextlib.contextmanager
    def _own_words(self) -> Iterator[None]:
        """Let no word of a server into an error, which may be what it was just sent."""
        try:
            yield
        except RegistryError as error:
            error.where = self._endpoint.registry
            error.mend = ("nothing was stored",)
            if isinstance(error, ProtocolError):
                error.what = "its answer to the login is none of a registry"
            raise error from None  # the cause, which --debug shows, may quote a URL

    def _refused(self, answered: str, said: str) -> AccessDenied:
        user = self._credential.user
        return AccessDenied(
            f"{self._endpoint.registry} refused the login of {safe(user)}",
            mend=(f"{answered}: {said}" if said else answered, "nothing was stored"),
        )

    def _harmless(self, text: str, raw: str) -> str:
        """The text of an answer; "" if the answer repeats the login."""
        return "" if _repeats(f"{raw}\n{text}", self._credential) else text


def _repeats(text: str, credential: Credential) -> bool:
    """Whether a text holds the password, as it is or as it goes over the wire or into JSON."""
    user, password = credential.user, credential.password
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    alone = base64.b64encode(password.encode()).decode()
    written = json.dumps(password)[1:-1], json.dumps(password, ensure_ascii=False)[1:-1]
    wired = quote(password), quote_plus(password), pair.rstrip("="), alone.rstrip("=")
    return any(form in text for form in (password, *written, *wired))
