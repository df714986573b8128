"""Every request of pinner goes through here: attempts, and within each the login.

    Wire.fetch       attempts (retry) → a 401 answered once (login) → Courier (pauses, redirects)
    Wire.exchange    attempts → Courier: how the authenticator asks token servers

What a caller accepts ends the attempts; every other answer becomes an error (`failures`), and is
asked for again where that may help. The caller's reading of the answer is part of the attempt, so
that a manifest whose body breaks off is fetched again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import urlencode

from pinner.errors import RegistryError
from pinner.registry.courier import Ask
from pinner.registry.exchange import TOKEN_LIMIT, TokenReply
from pinner.registry.retry import NOT_RETRIED

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from pinner.clock import Clock
    from pinner.registry.exchange import TokenRequest
    from pinner.registry.reply import Reply
    from pinner.registry.retry import Patience

T = TypeVar("T")
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class Sender(Protocol):
    """Who sends one attempt of a request: the courier, or a login around it."""

    def send(self, ask: Ask) -> Reply:
        """The answer, whatever its status; to be closed."""
        ...


class Wire:
    """Fetches, persistently."""

    def __init__(self, patience: Patience, clock: Clock) -> None:
        """Try again as `patience` says; `clock` is for the dates of Retry-After."""
        self._patience = patience
        self._clock = clock

    def fetch(
        self,
        sender: Sender,
        ask: Ask,
        use: Callable[[Reply], T],
        *,
        subject: str,
        accepted: Container[int],
        attempts: int | None = None,
    ) -> T:
        """What `use` makes of the answer; it closes the answer, unless it fails.

        Args:
            sender: carries out one attempt.
            ask: the request.
            use: reads the answer, as part of the attempt.
            subject: what is asked for, in the user's words; safe to print.
            accepted: the statuses that `use` understands.
            attempts: how many at most; None as patience has it.

        Raises:
            RegistryError: of the last attempt, or the first that asking again cannot mend.
        """

        def attempt(number: int) -> T:
            reply = sender.send(ask)
            with reply.closed_on_error():
                if reply.status in accepted:
                    return use(reply)
                raise self._failure(reply, subject, number)

        return self._patience.persistently(attempt, attempts=attempts)

    def persistently(self, attempt: Callable[[int], T]) -> T:
        """What `attempt` returns, where one attempt is more than one request (uploads).

        Raises:
            RegistryError: of the last attempt, or the first that asking again cannot mend.
        """
        return self._patience.persistently(attempt)

    def _failure(self, reply: Reply, subject: str, number: int) -> RegistryError:
        from pinner.registry.failures import read_failure  # noqa: PLC0415 - most runs have none

        failure = read_failure(reply, subject, now=self._clock.now())
        if failure.slow_down:
            self._patience.slow_down(reply.url.origin.authority, failure.pause, number)
        return failure.error


class TokenExchange:
    """Asks token servers, for the authenticator."""

    def __init__(self, wire: Wire, courier: Sender) -> None:
        self._wire = wire
        self._courier = courier

    def __call__(self, request: TokenRequest) -> TokenReply:
        """The answer of a token server, whatever its status.

        Raises:
            RegistryError: no answer, or only 429 and 5xx however often it was asked.
        """
        ask = Ask(
            method=request.method,
            url=request.url,
            kind="token",
            headers=_FORM if request.form else {},
            authorization=request.authorization,
            body=urlencode(request.form).encode("ascii"),
        )
        try:
            return self._wire.fetch(
                self._courier,
                ask,
                _token_reply,
                subject=f"a token from {request.url.origin.authority}",
                accepted=NOT_RETRIED,
            )
        except RegistryError as error:
            # The request that needs the token must not begin this all over again.
            error.transient = False
            raise


def _token_reply(reply: Reply) -> TokenReply:
    with reply:
        return TokenReply(
            status=reply.status,
            content_type=reply.headers.get("content-type", ""),
            body=reply.read(TOKEN_LIMIT + 1),
        )
