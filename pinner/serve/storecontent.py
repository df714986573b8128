"""A store, served: its names as repositories, its blobs as they lie on disk.

    index.json names `docker.io/library/debian:bookworm`  ->  /v2/library/debian/manifests/bookworm

How names of requests are read is told by `names`; with `home`, the repositories of that one
registry are served under their paths. What is in no name's reach is not listed, but a digest is
permission: whoever knows one may have the bytes, whichever repository of the store is asked. A
store is one user's cache and has no finer owner (docs/serve.md says so to who serves one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.oci.grammar import fold_registry
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.mediatypes import INDEXES, MANIFESTS
from pinner.oci.reference import InvalidReference, Repository
from pinner.oci.sources import RawManifest
from pinner.oci.stored import stored_manifest
from pinner.oci.strictjson import MalformedJson
from pinner.serve.content import BlobFile
from pinner.serve.listing import Listings
from pinner.serve.names import read_name, spell_name
from pinner.serve.referrers import ReferrersOf
from pinner.serve.verified import Verified, steadily

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.serve.listing import Named
    from pinner.serve.names import Name
    from pinner.store.layout import Store


class StoreContent:
    """The images of a store."""

    def __init__(self, store: Store, *, home: str = "") -> None:
        """Serve `store`.

        Args:
            store: open as long as this is asked.
            home: serve the repositories of this one registry, as if it were asked; empty for all.
        """
        self._store = store
        self._home = fold_registry(home)
        self._listings = Listings(store)
        self._referrers = ReferrersOf(store)
        self._verified = Verified(store)

    def tags(self, name: Name) -> tuple[str, ...] | None:
        """The tags under which the store has images of this repository.

        Raises:
            StoreError: the disk failed.
        """
        named = self._named(name)
        return None if named is None else tuple(named.tags)

    def manifest(self, name: Name, reference: str | Digest) -> RawManifest | None:
        """The manifest or index of a tag or digest, verified as it is read.

        Raises:
            IntegrityError: its bytes do not hash to its digest.
            StoreError: the disk failed.
        """
        named = self._named(name)
        if named is None:
            return None
        if isinstance(reference, str):
            found = named.tags.get(reference)
            return None if found is None else self._read(found.digest, found.media_type)
        return self._read(reference, named.media_types.get(reference))

    def blob(self, name: Name, digest: Digest) -> BlobFile | None:
        """The blob's file, hashed once before it is served for the first time.

        Raises:
            IntegrityError: its bytes do not hash to its digest.
            StoreError: the disk failed.
        """
        if self._named(name) is None:
            return None
        size = self._verified.size(digest)
        return None if size is None else BlobFile(path=self._store.path(digest), size=size)

    def referrers(self, name: Name, subject: Digest) -> tuple[Descriptor, ...] | None:
        """What in the store has `subject` as its subject, whichever repository names it.

        Raises:
            StoreError: the disk failed.
        """
        if self._named(name) is None:
            return None
        return self._referrers.find(subject, self._listings.current().roots)

    def repositories(self, namespace: str) -> tuple[str, ...]:
        """The repositories that the store names: of one registry by path, of all in full.

        Raises:
            StoreError: the disk failed.
        """
        registry = self._home or namespace
        found = self._listings.current().repositories
        if registry:
            return tuple(one.path for one in found if one.registry == registry)
        return tuple(spelled for one in found if (spelled := spell_name(one)))

    def _named(self, name: Name) -> Named | None:
        repository = self._repository(name)
        return None if repository is None else self._listings.current().repositories.get(repository)

    def _repository(self, name: Name) -> Repository | None:
        if not self._home:
            return read_name(name)
        try:
            return Repository(self._home, name.path)
        except InvalidReference:
            return None

    def _read(self, digest: Digest, media_type: str | None) -> RawManifest | None:
        data = steadily(self._store.path(digest), lambda: self._data(digest))
        if data is None:
            return None
        if media_type is not None:
            raw = RawManifest(media_type=media_type, digest=digest, data=data)
        else:
            try:
                raw = stored_manifest(digest, data)
            except MalformedJson:
                return None  # a config or layer
        return raw if raw.media_type in MANIFESTS | INDEXES else None

    def _data(self, digest: Digest) -> bytes | None:
        size = self._store.size(digest)
        is_small = size is not None and size <= MANIFEST_LIMIT
        return self._store.read(digest, MANIFEST_LIMIT) if is_small else None
