"""A store, served: its names as repositories, its blobs as they lie on disk.

    index.json names `home/path:tag`  ->  /v2/path/manifests/tag

Repositories of one registry, `home`, are served, under their path. What is in no name's reach is
not listed, but a digest is: whoever knows one may have the bytes, whichever repository is asked.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pinner.errors import IntegrityError, StoreError
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.mediatypes import INDEXES, MANIFESTS
from pinner.oci.reference import InvalidReference, Reference, Repository
from pinner.oci.sources import RawManifest
from pinner.oci.stored import stored_manifest
from pinner.oci.strictjson import MalformedJson
from pinner.serve.content import BlobFile
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.store.layout import Store


class StoreContent:
    """The images of `store` that the registry `home` would serve."""

    def __init__(self, store: Store, *, home: str) -> None:
        self._store = store
        self._home = home
        self._verified = _Verified(store)

    def tags(self, name: str) -> tuple[str, ...] | None:
        """The tags under which the store has images of this repository."""
        named = list(self._named(name))
        if not named:
            return None
        return tuple(reference.tag for reference, _ in named if reference.tag is not None)

    def manifest(self, name: str, reference: str | Digest) -> RawManifest | None:
        """The manifest or index of a tag or digest, verified as it is read.

        Raises:
            IntegrityError: its bytes do not hash to its digest.
            StoreError: the disk failed.
        """
        named = list(self._named(name))
        if isinstance(reference, str):
            found = [item for tagged, item in named if tagged.tag == reference]
            return self._read(found[-1].digest, found[-1].media_type) if found else None
        if not named:
            return None
        known = {item.digest: item.media_type for _, item in named}
        return self._read(reference, known.get(reference))

    def blob(self, name: str, digest: Digest) -> BlobFile | None:
        """The blob's file, hashed once before it is served for the first time.

        Raises:
            IntegrityError: its bytes do not hash to its digest.
            StoreError: the disk failed.
        """
        size = self._store.size(digest)
        if size is None or self.tags(name) is None:
            return None
        self._verified.require(digest)
        return BlobFile(path=self._store.path(digest), size=size)

    def _named(self, name: str) -> Iterator[tuple[Reference, Descriptor]]:
        repository = Repository(self._home, name)
        for image in self._store.images():
            try:
                reference = Reference.parse(image.name)
            except InvalidReference:
                continue  # another tool's name, such as a lone tag
            if reference.repository == repository:
                yield reference, image.descriptor

    def _read(self, digest: Digest, media_type: str | None) -> RawManifest | None:
        size = self._store.size(digest)
        if size is None or size > MANIFEST_LIMIT:
            return None
        data = self._store.read(digest, MANIFEST_LIMIT)
        if media_type is not None:
            raw = RawManifest(media_type=media_type, digest=digest, data=data)
        else:
            try:
                raw = stored_manifest(digest, data)
            except MalformedJson:
                return None  # a config or layer
        return raw if raw.media_type in MANIFESTS | INDEXES else None


class _Verified:
    """Blobs that hashed to their digest, by what tells a file from another at the same path.

    Blobs were verified when they were published; this finds what the disk, or someone, has done to
    them since, without hashing a blob twice in a server's life. Concurrent requests for parts of
    one blob wait for one hashing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._turns: dict[Digest, threading.Lock] = {}
        self._states: dict[Digest, tuple[int, ...]] = {}

    def require(self, digest: Digest) -> None:
        """Return if the blob's file holds its bytes.

        Raises:
            IntegrityError: it holds others.
            StoreError: it cannot be read, or has gone.
        """
        with self._lock:
            turn = self._turns.setdefault(digest, threading.Lock())
        with turn:
            state = self._state(digest)
            if self._states.get(digest) == state:
                return
            if not self._store.blobs.matches(digest):
                raise IntegrityError(
                    f"blob {digest} is corrupt in the store", mend="run `pinner verify`"
                )
            self._states[digest] = state

    def _state(self, digest: Digest) -> tuple[int, ...]:
        path = self._store.path(digest)
        try:
            found = path.stat(follow_symlinks=False)
        except OSError as error:
            raise StoreError(
                f"blob {digest} cannot be read: {error.strerror}", where=safe(str(path))
            ) from error
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
