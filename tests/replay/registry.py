"""A registry on a `World`, for the real update: it answers what oci/sources.py asks, and counts.

An image is an index for two platforms whose manifests and configs are made when they are first
asked for; digests are those of the bytes. What was named once stays served by its digest.
"""

from __future__ import annotations

import enum
import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pinner.errors import NotFound
from pinner.oci.digest import Digest
from pinner.oci.mediatypes import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from pinner.oci.memory import MemoryStream
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.reference import Reference, Repository
    from replay.record import Made, World

_ARCHITECTURES: Final = ("amd64", "arm64")
_LIBRARY: Final = "library/"


class Dates(enum.Enum):
    """What a registry and its images tell of their age; the values are what tables show."""

    PUSHES = "push times"
    """The registry dates what is pushed, and configs say when they were made."""
    CREATED = "`created` alone"
    """The registry gives no time; configs say when they were made."""
    NONE = "nothing"
    """No time at all: `created` is the epoch, as reproducible builds have it."""


class ReplayRegistry:
    """The registry; not safe for threads.

    Attributes:
        asked: how many requests there were, by `HEAD`, `GET` and `tag list`.
    """

    def __init__(self, world: World, dates: Dates) -> None:
        self.asked: Counter[str] = Counter()
        self._world = world
        self._dates = dates
        self._indexes: dict[Made, Digest] = {}
        self._made: dict[Digest, Made] = {}
        self._documents: dict[Digest, tuple[str, bytes]] = {}

    def made(self, digest: Digest) -> Made:
        """The image that an index or one of its parts belongs to."""
        return self._made[digest]

    def resolve(self, reference: Reference) -> RawManifest:
        """See `Resolver`."""
        return self._get(reference.digest or self._tagged(reference))

    def head(self, reference: Reference) -> Digest | None:
        """See `Resolver`."""
        self.asked["HEAD"] += 1
        return reference.digest or self._tagged(reference)

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """See `TagLister`."""
        self.asked["tag list"] += 1
        return self._world.tags(_image(repository))

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """See `ManifestSource`."""
        del repository
        return self._get(digest)

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> MemoryStream:
        """See `BlobSource`."""
        del repository, avoid
        self.asked["GET"] += 1
        _, data = self._documents[descriptor.digest]
        end = len(data) if end is None else end
        return MemoryStream(
            data, start, end, ranged=False, last_modified=self._time(descriptor.digest)
        )

    def abort(self) -> None:
        """Nothing to cut."""

    def _get(self, digest: Digest) -> RawManifest:
        self.asked["GET"] += 1
        media_type, data = self._documents[digest]
        return RawManifest(
            media_type=media_type, digest=digest, data=data, last_modified=self._time(digest)
        )

    def _time(self, digest: Digest) -> float | None:
        return self._world.pushed(self._made[digest]) if self._dates is Dates.PUSHES else None

    def _tagged(self, reference: Reference) -> Digest:
        made = self._world.named(_image(reference.repository), str(reference.tag))
        if made is None:
            raise NotFound(f"there is no {reference.familiar()}")
        if made not in self._indexes:
            self._indexes[made] = self._make(made)
        return self._indexes[made]

    def _make(self, made: Made) -> Digest:
        created = 0.0 if self._dates is Dates.NONE else self._world.pushed(made)
        manifests = []
        for architecture in _ARCHITECTURES:
            config = {
                "architecture": architecture,
                "os": "linux",
                "created": datetime.fromtimestamp(created, UTC).isoformat(),
                "config": {"Labels": {"made": f"{made.image} {made.build} {made.rebuild}"}},
                "rootfs": {"type": "layers", "diff_ids": []},
            }
            manifest = {
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": self._put(made, OCI_CONFIG, config),
                "layers": [],
            }
            platform = {"os": "linux", "architecture": architecture}
            manifests.append(self._put(made, OCI_MANIFEST, manifest) | {"platform": platform})
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        return Digest.parse(self._put(made, OCI_INDEX, index)["digest"])

    def _put(self, made: Made, media_type: str, document: dict[str, Any]) -> dict[str, Any]:
        """Serve a document; its descriptor."""
        data = json.dumps(document).encode()
        digest = Digest.of(data)
        self._documents[digest] = media_type, data
        self._made[digest] = made
        return {"mediaType": media_type, "digest": str(digest), "size": len(data)}


def _image(repository: Repository) -> str:
    return repository.path.removeprefix(_LIBRARY)
