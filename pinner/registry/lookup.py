"""What a search for a login found, and all that was looked at on the way: values for messages."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinner.errors import InputError
    from pinner.registry.authfile import Credential


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A login and where it came from.

    Attributes:
        source: file and key for messages: `~/.docker/config.json (auths: ghcr.io)`, or
            `~/.docker/config.json (credHelpers: ghcr.io → docker-credential-gh)`.
    """

    credential: Credential
    source: str


class Outcome(enum.Enum):
    """How one look ended; the value is for programs."""

    FOUND = "found"
    NONE = "none"
    MISSING = "missing"
    FAILED = "failed"
    NOT_ASKED = "not asked"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One thing that was looked at; holds no secret.

    Attributes:
        place: the file or the variable.
        entry: what in it: `auths: ghcr.io`, `credsStore → docker-credential-pass`; "" for all of
            it.
        why: what was found there, for people.
        helper: whether a helper is what was looked at.
    """

    place: str
    entry: str = ""
    outcome: Outcome
    why: str
    helper: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """The search for the login of one repository.

    Attributes:
        looks: in the order in which they were taken; then the places that were not reached.
        found: the login that is used; None without one.
        error: what ended the search before its end.
        settled: whether the answer is known: not where a helper should have been asked and was not.
    """

    looks: tuple[Look, ...] = ()
    found: Found | None = None
    error: InputError | None = None
    settled: bool = True
