"""Days of updates against a registry in memory: tags move, time passes, nothing waits.

story = Story('[images]\\ndebian = "debian:bookworm"')
story.push("debian:bookworm", "one")
story.lock()
story.push("debian:bookworm", "two")
story.pass_days(1)
story.update().outcomes
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pinner.lockfile import Lock
from pinner.oci.memory import MemorySource
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.resolve import lock_images
from pinner.spec import parse_spec
from pinner.update import SeenLog, run_update
from support.images import image, index, layer

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.spec import Spec
    from pinner.update import UpdateOutcome, UpdateResult
    from support.images import Image

DAY: Final = 86_400
START: Final = datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp()
HOST: Final = Platform.parse("linux/amd64")
EPOCH: Final = "1970-01-01T00:00:00Z"


def at(days: float) -> str:
    """So many days after the start, as a config writes it."""
    return datetime.fromtimestamp(START + days * DAY, UTC).isoformat()


class Story:
    """A registry, a spec, and what a user keeps between runs: the lock and the observation log.

    Attributes:
        now: seconds since the epoch.
        asked: what the last run asked for, by kind.
    """

    def __init__(self, spec: str) -> None:
        self.registry = MemorySource()
        self.spec = spec
        self.locked = Lock()
        self.seen = SeenLog()
        self.now = START
        self.asked: Counter[str] = Counter()

    def push(
        self,
        reference: str,
        content: str,
        *platforms: str,
        created: str = EPOCH,
        manifest_time: float | None = None,
        config_time: float | None = None,
    ) -> Digest:
        """Let a tag name an index of images with this content; its digest."""
        made = [
            image(platform, layer(f"{content}-{platform}", 10), created=created)
            for platform in platforms or ("linux/amd64", "linux/arm64")
        ]
        return self.push_image(
            reference, index(*made), manifest_time=manifest_time, config_time=config_time
        )

    def push_image(
        self,
        reference: str,
        pushed: Image,
        *,
        manifest_time: float | None = None,
        config_time: float | None = None,
    ) -> Digest:
        """Let a tag name an image or an index."""
        named = Reference.parse(reference)
        for one in pushed.images:
            self.push_image(str(named.with_tag(None)), one, config_time=config_time)
        for data in pushed.blobs.values():
            self.registry.push_blob(named.repository, data, last_modified=config_time)
        return self.registry.push(
            named,
            pushed.manifest.data,
            media_type=pushed.manifest.media_type,
            last_modified=manifest_time,
        ).digest

    def pass_days(self, days: float) -> None:
        """Time goes by."""
        self.now += days * DAY

    def lock(self) -> None:
        """`pinner lock`."""
        result = lock_images(self._spec(), self.locked, lambda: self.registry, jobs=1)
        assert result.lock is not None, result.outcomes
        self.locked = result.lock

    def update(self, *names: str, dry: bool = False, **wish: Any) -> UpdateResult:
        """`pinner update`; `dry` leaves the lock as it was."""
        before = Counter(self.registry.counts)
        result = run_update(
            self._spec(),
            self.locked,
            lambda: self.registry,
            names=names,
            seen=self.seen,
            now=self.now,
            **{"host": HOST, "jobs": 1, **wish},
        )
        self.asked = self.registry.counts - before
        self.seen = result.seen
        if not dry:
            self.locked = result.lock
        return result

    def outcome(self, **wish: Any) -> UpdateOutcome:
        """The one outcome of an update."""
        (outcome,) = self.update(**wish).outcomes
        return outcome

    def pin(self, name: str) -> Digest:
        """What is locked."""
        (found,) = [image.digest for image in self.locked.images if image.name == name]
        return found

    def _spec(self) -> Spec:
        return parse_spec(self.spec.encode(), path="images.toml", base=Path())
