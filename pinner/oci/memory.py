"""A registry in memory: answers every protocol of `sources`, for tests and for trying things out.

registry = MemorySource()
raw = registry.push(Reference.parse("debian:bookworm"), manifest, media_type=OCI_MANIFEST)
registry.resolve(Reference.parse("debian:bookworm")) == raw
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final, Self

from pinner.errors import NotFound, Unavailable
from pinner.oci.digest import Digest
from pinner.oci.reference import LATEST
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.reference import Reference, Repository

_CHUNK: Final = 64 * 1024
_NAME: Final = "memory:"


class MemorySource:
    """A registry that holds what was pushed to it; safe to use from several threads.

    Attributes:
        counts: how often it was asked, by `manifest`, `head`, `tags` and `blob`.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._manifests: dict[tuple[Repository, Digest], RawManifest] = {}
        self._tags: dict[Repository, dict[str, Digest]] = {}
        self._blobs: dict[tuple[Repository, Digest], tuple[bytes, float | None]] = {}

    def push(
        self,
        reference: Reference,
        data: bytes,
        *,
        media_type: str,
        last_modified: float | None = None,
    ) -> RawManifest:
        """Take a manifest or index, and let the reference's tag, if it has one, name it."""
        raw = RawManifest(
            media_type=media_type,
            digest=Digest.of(data),
            data=data,
            last_modified=last_modified,
        )
        self._manifests[reference.repository, raw.digest] = raw
        tags = self._tags.setdefault(reference.repository, {})
        if reference.tag is not None:
            tags[reference.tag] = raw.digest
        return raw

    def push_blob(
        self, repository: Repository, data: bytes, *, last_modified: float | None = None
    ) -> Digest:
        """Take a config or layer."""
        digest = Digest.of(data)
        self._blobs[repository, digest] = data, last_modified
        return digest

    def forget(self, repository: Repository, digest: Digest) -> None:
        """Have a manifest or index no more; tags that name it stay."""
        del self._manifests[repository, digest]

    def untag(self, reference: Reference) -> None:
        """Have the reference's tag no more; what it named stays."""
        del self._tags[reference.repository][reference.tag or LATEST]

    def resolve(self, reference: Reference) -> RawManifest:
        """The manifest or index that the digest, else the tag (or `latest`) names."""
        self._count("manifest")
        digest = reference.digest or self._tagged(reference)
        return self._find(reference.repository, digest)

    def head(self, reference: Reference) -> Digest | None:
        """The digest that the digest, else the tag (or `latest`), names."""
        self._count("head")
        digest = reference.digest or self._tagged(reference)
        return self._find(reference.repository, digest).digest

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """Every tag, in the order in which they were first pushed."""
        self._count("tags")
        if repository not in self._tags:
            raise NotFound(f"there is no repository {repository.familiar()}")
        return tuple(self._tags[repository])

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """The manifest or index of this digest."""
        self._count("manifest")
        return self._find(repository, digest)

    def open_blob(
        self,
        repository: Repository,
        descriptor: Descriptor,
        *,
        start: int = 0,
        end: int | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> MemoryStream:
        """A stream of the bytes [start, end) of a blob."""
        del avoid  # there are no mirrors
        self._count("blob")
        found = self._blobs.get((repository, descriptor.digest))
        if found is None:
            raise NotFound(f"{repository.familiar()} has no blob {descriptor.digest}")
        data, last_modified = found
        end = descriptor.size if end is None else end
        ranged = (start, end) != (0, descriptor.size)
        return MemoryStream(data, start, end, ranged=ranged, last_modified=last_modified)

    def abort(self) -> None:
        """Nothing to cut: nobody waits for memory."""

    def _tagged(self, reference: Reference) -> Digest:
        digest = self._tags.get(reference.repository, {}).get(reference.tag or LATEST)
        if digest is None:
            raise NotFound(f"there is no {reference.familiar()}")
        return digest

    def _find(self, repository: Repository, digest: Digest) -> RawManifest:
        raw = self._manifests.get((repository, digest))
        if raw is None:
            raise NotFound(f"{repository.familiar()} has no manifest {digest}")
        return raw

    def _count(self, kind: str) -> None:
        with self._lock:
            self.counts[kind] += 1


class MemoryStream:
    """The bytes [start, end) of a blob in memory: a `BlobStream`."""

    def __init__(
        self,
        data: bytes,
        start: int,
        end: int,
        *,
        ranged: bool,
        last_modified: float | None = None,
    ) -> None:
        self.last_modified = last_modified
        self.source = _NAME
        self.start = start
        self.end = end
        self.ranged = ranged
        self._data = memoryview(data)

    def chunks(self) -> Iterator[memoryview]:
        """The bytes in order; `Unavailable` where the blob is shorter than it was said to be."""
        for start in range(self.start, min(self.end, len(self._data)), _CHUNK):
            yield self._data[start : min(start + _CHUNK, self.end)]
        if len(self._data) < self.end:
            raise Unavailable(f"the blob ended after {len(self._data)} of {self.end} bytes")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to give back."""
