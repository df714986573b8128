"""The login within one attempt: a 401 is answered once, by the authenticator.

A challenge counts only if the registry itself gives it. What stands behind a redirect (a storage
host, another registry) may ask for credentials as often as it likes: it gets none of ours (D11).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pinner.registry.courier import Ask

if TYPE_CHECKING:
    from pinner.registry.auth import Authenticator
    from pinner.registry.courier import Courier
    from pinner.registry.endpoints import Endpoint, Scope
    from pinner.registry.reply import Reply

_UNAUTHORIZED: Final = 401


class LoggedIn:
    """Sends requests to one endpoint, with the credentials that a scope needs."""

    def __init__(
        self, courier: Courier, authenticator: Authenticator, endpoint: Endpoint, scope: Scope
    ) -> None:
        self._courier = courier
        self._authenticator = authenticator
        self._endpoint = endpoint
        self._scope = scope

    def send(self, ask: Ask) -> Reply:
        """The answer; a 401 only where no login helped.

        Raises:
            RegistryError: no answer, from the registry or its token server.
        """
        known = self._authenticator.authorize(self._endpoint, self._scope)
        reply = self._courier.send(replace(ask, authorization=known))
        if reply.status != _UNAUTHORIZED or reply.redirected:
            return reply
        with reply.closed_on_error():
            challenges = self._challenges(reply)
            if not challenges:
                return reply
            fresh = self._authenticator.challenged(
                self._endpoint, self._scope, challenges, rejected=known
            )
        reply.close()
        return self._courier.send(replace(ask, authorization=fresh))

    def _challenges(self, reply: Reply) -> list[str]:
        """The challenges of a 401; where it has none, those of `/v2/` (gcr.io does that)."""
        given = reply.headers.get_list("www-authenticate")
        if given:
            return given
        ping = Ask(method="GET", url=self._endpoint.root(), kind="ping")
        with self._courier.send(ping) as answer:
            return answer.headers.get_list("www-authenticate")
