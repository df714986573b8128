"""Logins, as far as registries ask for them: one for each scope, shared by all workers.

    authorize    before a request: the login at hand, renewed if it has run out
    challenged   after a 401: the login that answers the challenge, or why there is none
    remark       after a refusal: whose login it was that did not do

Nothing is looked up before a registry's first challenge. That challenge is remembered, so that
further repositories of the registry get their token without meeting a 401 each.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from pinner.errors import AccessDenied, InputError
from pinner.registry.challenge import MalformedChallenge, parse_challenges
from pinner.registry.grants import Grant, choose, obtain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.clock import Clock
    from pinner.registry.challenge import Challenge
    from pinner.registry.credentials import Found
    from pinner.registry.endpoints import Endpoint, Scope
    from pinner.registry.exchange import Exchange
    from pinner.registry.urls import Origin

_MARGIN: Final = 10.0
"""Seconds before its end from which a token is not used: a request takes time to arrive."""


class CredentialSource(Protocol):
    """Who knows the user's logins."""

    def find(self, registry: str, repository: str) -> Found | None:
        """The login for a repository of `host[:port]`; None if there is none."""
        ...


@dataclass(slots=True)
class _State:
    """What is known of one scope; `lock` is held while asking, so that one worker asks for all."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    grant: Grant | None = None
    end: float = -math.inf
    challenge: Challenge | None = None
    refused: AccessDenied | InputError | None = None


class Authenticator:
    """Answers the challenges of registries; safe for threads."""

    def __init__(self, *, credentials: CredentialSource, exchange: Exchange, clock: Clock) -> None:
        """Know nothing yet.

        Args:
            credentials: asked only after a challenge.
            exchange: carries requests to token servers.
            clock: for the ends of tokens.
        """
        self._credentials = credentials
        self._exchange = exchange
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[tuple[Origin, str, Scope], _State] = {}
        self._challenges: dict[Origin, Challenge] = {}

    def authorize(self, endpoint: Endpoint, scope: Scope) -> str | None:
        """The value of `Authorization` to begin with; None where no login is known to be wanted.

        A refused login is no error here, since this repository may need none: then the registry
        gives no challenge. Otherwise `challenged` raises what was found out here.

        Raises:
            RegistryError: the token server failed, or must not be asked.
        """
        state = self._state(endpoint, scope)
        with state.lock:
            if (grant := self._good(state)) is not None:
                return grant.authorization
            challenge = state.challenge or self._challenge_of(endpoint)
            if challenge is None or state.refused is not None:
                return None
            try:
                return self._renewed(state, endpoint, scope, challenge).authorization
            except (AccessDenied, InputError) as error:
                state.refused = error
                return None

    def challenged(
        self, endpoint: Endpoint, scope: Scope, headers: Sequence[str], *, rejected: str | None
    ) -> str:
        """The value of `Authorization` to try once more with; never `rejected` again.

        Args:
            endpoint: who answered 401.
            scope: what was asked for.
            headers: the values of WWW-Authenticate: those of the answer, or if it has none, those
                of the endpoint's root.
            rejected: the value that was sent; None if none was.

        Raises:
            AccessDenied: no login is there, or it was refused.
            InputError: a login must not be sent there; or the user's credentials cannot be read.
            RegistryError: the challenge cannot be read, or the token server failed or must not be
                asked.
        """
        challenge = _read(headers, endpoint)
        state = self._state(endpoint, scope)
        with state.lock:
            grant = self._good(state)
            if grant is not None and grant.authorization != rejected:
                return grant.authorization  # another worker was faster
            refused, state.refused = state.refused, None
            if refused is not None and challenge == state.challenge:
                raise refused
            grant = self._renewed(state, endpoint, scope, challenge)
            if grant.authorization == rejected:
                raise AccessDenied(
                    f"{endpoint.registry} refused access to {scope.repository}", mend=grant.remark
                )
            with self._lock:
                self._challenges[endpoint.origin] = challenge
            return grant.authorization

    def remark(self, endpoint: Endpoint, scope: Scope) -> str:
        """Whose login the last request was made with, for the message of a refusal; "" if none."""
        state = self._state(endpoint, scope)
        with state.lock:
            return state.grant.remark if state.grant is not None else ""

    def _state(self, endpoint: Endpoint, scope: Scope) -> _State:
        with self._lock:
            return self._states.setdefault((endpoint.origin, endpoint.registry, scope), _State())

    def _challenge_of(self, endpoint: Endpoint) -> Challenge | None:
        with self._lock:
            return self._challenges.get(endpoint.origin)

    def _good(self, state: _State) -> Grant | None:
        return state.grant if self._clock.monotonic() < state.end else None

    def _renewed(
        self, state: _State, endpoint: Endpoint, scope: Scope, challenge: Challenge
    ) -> Grant:
        asked = self._clock.monotonic()
        state.grant, state.challenge = None, challenge
        grant = obtain(
            challenge,
            endpoint=endpoint,
            scope=scope,
            found=self._credentials.find(endpoint.registry, scope.repository),
            exchange=self._exchange,
        )
        state.grant, state.end = grant, asked + grant.lifetime - _MARGIN
        return grant


def _read(headers: Sequence[str], endpoint: Endpoint) -> Challenge:
    try:
        return choose(parse_challenges(headers), endpoint)
    except MalformedChallenge as error:
        error.where = endpoint.registry
        raise
