"""Who may read: HTTP Basic before everything else (RFC 7617), at a bounded cost.

    request -> credentials -> a verdict known before, or one bcrypt -> the registry, or 401

bcrypt is slow on purpose, so a verdict is remembered for as long as the user's hash stays. Unknown
users cost what known ones do. At most `CHECKS` passwords are checked at a time, and one for each
client, so that somebody who guesses takes neither the machine nor the turn of others.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import http
import threading
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pinner.serve.app import error_response, for_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pinner.serve.htpasswd import Htpasswd
    from pinner.serve.message import Request, Response

CHECKS: Final = 2
"""Passwords that are checked at a time."""
PATIENCE: Final = 10.0
"""Seconds that a request waits for its turn to be checked."""
_REFUSALS: Final = 1024
_SCHEME: Final = "basic "


class Guard:
    """Lets requests through to `handle` that carry a user's name and password."""

    def __init__(
        self,
        handle: Callable[[Request], Response],
        users: Htpasswd,
        *,
        check: Callable[[bytes, bytes], bool],
        secret: bytes,
        patience: float = PATIENCE,
    ) -> None:
        """Guard `handle`.

        Args:
            handle: answers whoever may read.
            users: who may; `renew` replaces them.
            check: whether a password has a hash; slow.
            secret: random bytes, under which passwords are remembered.
            patience: seconds that a request waits for its turn to be checked.
        """
        self._handle = handle
        self._users = users
        self._check = check
        self._secret = secret
        self._patience = patience
        self._turn = threading.Condition()
        self._checking: set[str] = set()
        # By hash, so that a changed password forgets its verdicts.
        self._passed: dict[bytes, bytes] = {}
        self._refused: OrderedDict[tuple[bytes, bytes], None] = OrderedDict()

    def handle(self, request: Request) -> Response:
        """The registry's answer, 401, or 429 where too many passwords wait to be checked."""
        credentials = basic_credentials(request)
        if credentials is None:
            return _unauthorized(request)
        verdict = self._verdict(*credentials, request.peer)
        if verdict is None:
            response = error_response(
                http.HTTPStatus.TOO_MANY_REQUESTS,
                "TOOMANYREQUESTS",
                "too many logins at once",
                ("Retry-After", "5"),
            )
            return for_method(response, request)
        return self._handle(request) if verdict else _unauthorized(request)

    def renew(self, users: Htpasswd) -> None:
        """Let these users in from now on, and no others."""
        with self._turn:
            self._users = users
            self._passed.clear()
            self._refused.clear()

    def _verdict(self, user: str, password: bytes, peer: str) -> bool | None:
        """Whether they belong together; None where the turn to find out did not come."""
        users = self._users
        hashed = users.hash_of(user)
        tried = hmac.digest(self._secret, password, "sha256")
        known = self._remembered(hashed, tried)
        if known is not None:
            return known
        with self._turn_of(peer) as granted:
            if not granted:
                return None
            known = self._remembered(hashed, tried)  # perhaps by the request before
            if known is None:
                known = self._check(password, hashed) and user in users.hashes
                self._remember(hashed, tried, passed=known)
            return known

    def _remembered(self, hashed: bytes, tried: bytes) -> bool | None:
        with self._turn:
            if hmac.compare_digest(self._passed.get(hashed, b""), tried):
                return True
            return False if (hashed, tried) in self._refused else None

    def _remember(self, hashed: bytes, tried: bytes, *, passed: bool) -> None:
        with self._turn:
            if passed:
                self._passed[hashed] = tried
                return
            self._refused[hashed, tried] = None
            if len(self._refused) > _REFUSALS:
                self._refused.popitem(last=False)

    @contextmanager
    def _turn_of(self, peer: str) -> Iterator[bool]:
        with self._turn:
            granted = self._turn.wait_for(
                lambda: peer not in self._checking and len(self._checking) < CHECKS, self._patience
            )
            if granted:
                self._checking.add(peer)
        try:
            yield granted
        finally:
            if granted:
                with self._turn:
                    self._checking.discard(peer)
                    self._turn.notify_all()


def basic_credentials(request: Request) -> tuple[str, bytes] | None:
    """The user and the password that a request carries; None where it carries none."""
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(_SCHEME):
        return None
    try:
        decoded = base64.b64decode(header[len(_SCHEME) :].strip(), validate=True)
        user, colon, password = decoded.partition(b":")
        return (user.decode("utf-8"), password) if colon else None
    except (binascii.Error, ValueError):
        return None


def _unauthorized(request: Request) -> Response:
    response = error_response(
        http.HTTPStatus.UNAUTHORIZED,
        "UNAUTHORIZED",
        "authentication required",
        ("WWW-Authenticate", 'Basic realm="pinner"'),
    )
    return for_method(response, request)
