"""What this run sees of tags, added to what earlier runs saw; safe for threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pinner.update.age import registry_time
from pinner.update.seenlog import SeenLog, Sighting, with_sighting

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference
    from pinner.update.seenlog import History


class Observer:
    """Takes notes into an observation log.

    All sights of a run are of one time: that of its start, or the latest in the log where the clock
    shows an earlier one. So a clock that went back makes nothing older than it is.

    Args:
        log: what was seen before.
        now: seconds since the epoch.
    """

    def __init__(self, log: SeenLog, now: float) -> None:
        self._lock = threading.Lock()
        self._tags = dict(log.tags)
        self._at = max(int(now), log.latest)

    def saw(
        self, reference: Reference, digest: Digest, *, registry: float | None = None
    ) -> History:
        """Note what a tag names now; the history of the tag with it.

        Args:
            reference: with the tag.
            digest: what it names.
            registry: the registry's own time for that, where it gives one.
        """
        return self._note(reference, digest, registry=registry, pinned=False)

    def pinned(self, reference: Reference, digest: Digest) -> None:
        """Note what a pin holds, before what its tag names now: whatever follows is newer."""
        self._note(reference, digest, registry=None, pinned=True)

    @property
    def log(self) -> SeenLog:
        """All that is known now."""
        with self._lock:
            return SeenLog(dict(self._tags))

    def _note(
        self, reference: Reference, digest: Digest, *, registry: float | None, pinned: bool
    ) -> History:
        key = reference.with_digest(None)
        new = Sighting(
            digest=digest,
            first=self._at,
            last=self._at,
            registry=registry_time(registry),
            pinned=pinned,
        )
        with self._lock:
            self._tags[key] = history = with_sighting(self._tags.get(key, ()), new)
        return history
