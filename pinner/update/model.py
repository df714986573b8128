"""What an update came to, entry by entry."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.outcome import Failed, exit_code
from pinner.resolve import Added, Changed, Removed

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from pinner.lockfile import Lock, LockedImage
    from pinner.oci.digest import Digest
    from pinner.update.seenlog import SeenLog


class Evidence(enum.Enum):
    """What tells how old an image is; the values are what output names."""

    REGISTRY = "registry time"
    """The registry's own time for the manifest or config (`Last-Modified`)."""
    OBSERVED = "first seen"
    """When pinner first saw the tag name this digest."""
    CREATED = "image's own date"
    """`created` of the config: the publisher's claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Since when an image exists, as far as the evidence shows.

    Attributes:
        since: with a time zone.
    """

    since: datetime
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A newer image that is not taken yet.

    Attributes:
        tag: the tag that names it.
        age: None where there is no evidence of its age at all.
        minimum_age: how old it would have to be.
        matures: when it will be old enough.
    """

    tag: str
    digest: Digest
    age: Age | None
    minimum_age: timedelta
    matures: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """The pin moves.

    Attributes:
        age: None where no minimum age was asked for, and so nothing was judged.
        waiting: a still newer image that is held back; None where this is the newest.
    """

    name: str
    before: LockedImage
    image: LockedImage
    age: Age | None = None
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The tag still names what is locked.

    Attributes:
        alias: a better tag that names the very same image, so that nothing is gained by moving to
            it; None where there is none.
    """

    name: str
    image: LockedImage
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOnly:
    """The tag's index moved and the locked platforms did not: not written."""

    name: str
    image: LockedImage
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The tag moved, and nothing that it named since is old enough."""

    name: str
    image: LockedImage
    waiting: Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """The spec gives the digest by hand: never updated, and nothing was asked."""

    name: str
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A tag that must never move has moved; the pin stays."""

    name: str
    image: LockedImage
    digest: Digest


UpdateOutcome = (
    Updated | Unchanged | IndexOnly | Held | Pinned | Alarm | Added | Changed | Removed | Failed
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResult:
    """What an update came to.

    Attributes:
        lock: the new lock: the new pins, and the old ones of all other entries.
        outcomes: one for each entry that was asked for, in the spec's order, then what was
            removed, by name. `Added`, `Changed` and `Removed` are entries whose pin did not
            satisfy the spec, which are locked as `pinner lock` would.
        seen: the observation log, with what this run saw.
        warnings: what deserves attention and is no failure; safe to print.
    """

    lock: Lock
    outcomes: tuple[UpdateOutcome, ...]
    seen: SeenLog
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the new lock differs from the previous one."""
        return any(
            isinstance(outcome, Updated | Added | Changed | Removed) for outcome in self.outcomes
        )

    @property
    def exit_code(self) -> int:
        """1 where a tag that must not move did, else as failures have it; 0 also with held ones."""
        return 1 if self._alarmed else exit_code(self.outcomes)

    @property
    def outdated_code(self) -> int:
        """1 where the lock would be another or an alarm was raised, else as failures have it."""
        return 1 if self.changed or self._alarmed else exit_code(self.outcomes)

    @property
    def _alarmed(self) -> bool:
        return any(isinstance(outcome, Alarm) for outcome in self.outcomes)
