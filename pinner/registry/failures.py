"""From the status of an answer to the error that the user reads."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from pinner.errors import (
    AccessDenied,
    NotFound,
    ProtocolError,
    RateLimited,
    RegistryError,
    Unavailable,
)
from pinner.registry.errorbody import LIMIT, ErrorBody, read_error
from pinner.registry.ratelimit import exhausted_quota, wait_asked_for
from pinner.registry.retry import RETRIED

if TYPE_CHECKING:
    from pinner.registry.reply import Reply

_GONE: Final = frozenset({404, 410})
_DENIED: Final = frozenset({401, 403})
_SLOW_DOWN: Final = 429
_BUSY: Final = 503
_PERHAPS_PRIVATE: Final = "it does not exist, or may require a login"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong.

    Attributes:
        slow_down: whether the server asks everyone to slow down.
        pause: for how many seconds, if it says.
    """

    error: RegistryError
    slow_down: bool = False
    pause: float | None = None


def read_failure(reply: Reply, subject: str, *, now: float) -> Failure:
    """The failure that an answer reports; reads at most 64 KiB of its body.

    Args:
        reply: with a status that is not what was hoped for.
        subject: what was asked for, as the user names it; safe to print.
        now: seconds since the epoch.
    """
    body = _body(reply)
    error = _error(reply, subject, body)
    error.cause = body.cause
    # A storage host's refusal often means that its signed URL has expired. The registry gives out
    # a fresh one (registries.md 2.1, 2), so another attempt from there makes sense.
    error.transient = error.transient or reply.redirected
    if reply.status == _SLOW_DOWN or (reply.status == _BUSY and "retry-after" in reply.headers):
        quota = exhausted_quota(reply.headers)
        if quota is not None:
            error.what += f", all of its {quota} are used up"
            error.mend = (*error.mend, "a login may allow more: `pinner login`")
        pause = wait_asked_for(reply.headers, body.raw, now=now)
        error.transient = error.transient and (quota is None or pause is not None)
        return Failure(error=error, slow_down=True, pause=pause)
    return Failure(error=error)


def _body(reply: Reply) -> ErrorBody:
    try:
        data = reply.read(LIMIT)
    except RegistryError:  # the status says enough
        data = b""
    return read_error(reply.headers.get("content-type", ""), data)


def _error(reply: Reply, subject: str, body: ErrorBody) -> RegistryError:
    host = reply.url.origin.authority
    said = (body.text,) if body.text else ()
    status = reply.status
    answered = f"{host} answered {_spelled(status)}"
    if status in _GONE:
        return NotFound(f"{subject} was not found on {host}", mend=(*said, _PERHAPS_PRIVATE))
    if status in _DENIED:
        return AccessDenied(
            f"{host} refused {subject}: {_spelled(status)}", mend=(*said, _PERHAPS_PRIVATE)
        )
    if status == _SLOW_DOWN:
        return RateLimited(f"{answered} for {subject}", mend=said)
    if status in RETRIED:
        return Unavailable(f"{answered} for {subject}", mend=said)
    return ProtocolError(f"{answered} for {subject}", mend=said)


def _spelled(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase.lower()}"
    except ValueError:
        return str(status)
