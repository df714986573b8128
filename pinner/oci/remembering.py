"""A source that is asked once for each manifest, however many steps of a run need it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from pinner.oci.sources import BlobSource, ManifestSource, Resolver, TagLister

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.sources import BlobStream, RawManifest

_ROOM: Final = 32 * 1024 * 1024


class Source(Resolver, TagLister, ManifestSource, BlobSource, Protocol):
    """All that can be asked of a registry."""


class RememberingSource:
    """Answers what `source` answered before; as safe for threads as that is.

    Only manifests are kept, by repository and digest, up to 32 MiB in all; a tag is asked for each
    time.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[tuple[Repository, Digest], RawManifest] = {}
        self._room = _ROOM
        self._lock = threading.Lock()

    def resolve(self, reference: Reference) -> RawManifest:
        """As `Resolver.resolve`."""
        return self._keep(reference.repository, self._source.resolve(reference))

    def head(self, reference: Reference) -> Digest | None:
        """As `Resolver.head`."""
        return self._source.head(reference)

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """As `TagLister.tags`."""
        return self._source.tags(repository)

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """As `ManifestSource.manifest`; not asked for where it came before."""
        known = self._known.get((repository, digest))
        return known or self._keep(repository, self._source.manifest(repository, digest))

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> BlobStream:
        """As `BlobSource.open_blob`."""
        return self._source.open_blob(repository, descriptor, start=start, end=end, avoid=avoid)

    def abort(self) -> None:
        """As `BlobSource.abort`."""
        self._source.abort()

    def _keep(self, repository: Repository, raw: RawManifest) -> RawManifest:
        with self._lock:
            if len(raw.data) <= self._room and (repository, raw.digest) not in self._known:
                self._room -= len(raw.data)
                self._known[repository, raw.digest] = raw
        return raw
