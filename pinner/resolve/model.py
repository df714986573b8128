"""What resolving came to, entry by entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.outcome import Failed

if TYPE_CHECKING:
    from pinner.lockfile import Lock, LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Newly locked."""

    name: str
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Locked anew, since the pin did not satisfy the spec any more."""

    name: str
    before: LockedImage
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The pin still satisfies the spec; nothing was asked."""

    name: str
    image: LockedImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The spec no longer names it."""

    name: str
    before: LockedImage


LockOutcome = Added | Changed | Kept | Removed | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult:
    """What resolving came to.

    Attributes:
        lock: the new lock; None where any entry failed, since a lock is whole or not written.
        outcomes: one for each entry in the spec's order, then what was removed, by name.
    """

    lock: Lock | None
    outcomes: tuple[LockOutcome, ...]

    @property
    def changed(self) -> bool:
        """Whether the new lock differs from the previous one."""
        return any(not isinstance(outcome, Kept | Failed) for outcome in self.outcomes)
