"""What references name now: from the store, by digest, and by as few counted requests as can be.

Registries count manifest GETs and no HEADs (design section 4), so a tag is asked for

- by one GET, where the answer is needed anyhow;
- by HEAD, and then by the digest that it states, where that may save the GET: the store has names
  of this repository (two tags may name one digest), all of its tags are wanted, or a mirror can
  serve the digest. Where the HEAD tells nothing, or of a digest that is not there, by GET.

A digest that the store holds is not asked for.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError, NotFound
from pinner.oci.config import CONFIG_LIMIT
from pinner.oci.fetch import read_blob
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.stored import stored_manifest
from pinner.pull.words import verification_failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Reference, Repository
    from pinner.oci.remembering import Source
    from pinner.oci.sources import RawManifest
    from pinner.store.layout import Store

_CONFIG: Final = "image config"


class Finder:
    """Finds manifests for one run; safe for threads."""

    def __init__(
        self,
        store: Store,
        open_source: Callable[[], Source],
        *,
        is_mirrored: Callable[[Repository], bool],
    ) -> None:
        """Know what the store names.

        Args:
            store: where manifests may be.
            open_source: opens the registry, which remembers manifests; called when it is asked.
            is_mirrored: whether digests of a repository have another source than its registry.
        """
        self._store = store
        self._open_source = open_source
        self._is_mirrored = is_mirrored
        self._names = {named.name: named.descriptor.digest for named in store.images()}
        self._lock = threading.Lock()
        self._turns: dict[Digest, threading.Lock] = {}

    def named(self, reference: Reference) -> Digest | None:
        """What the store's name for a reference points to; None where it has none."""
        return self._names.get(str(reference))

    def find(self, reference: Reference, *, among_many: bool = False) -> RawManifest:
        """The manifest or index that the reference's digest, else its tag, names.

        Args:
            reference: with a tag or a digest.
            among_many: it is one of a repository's tags, several of which may name one digest.

        Raises:
            RegistryError: it was not delivered.
            IntegrityError: other bytes came than the digest names.
        """
        repository = reference.repository
        if reference.digest is not None:
            return self.manifest(repository, reference.digest)
        source = self._open_source()
        if among_many or self._knows(repository) or self._is_mirrored(repository):
            stated = source.head(reference)
            if stated is not None:
                try:
                    return self.manifest(repository, stated)
                except NotFound:
                    pass  # the tag moved in between, or its HEAD tells of another form of it
        return source.resolve(reference)

    def manifest(self, repository: Repository, digest: Digest) -> RawManifest:
        """The manifest or index of this digest; each is asked for once.

        Raises: as `find`.
        """
        with self._lock:
            turn = self._turns.setdefault(digest, threading.Lock())
        with turn:
            if self._store.has(digest):
                return stored_manifest(digest, self._store.read(digest, MANIFEST_LIMIT))
            try:
                return self._open_source().manifest(repository, digest)
            except IntegrityError as error:
                raise verification_failed(error, "manifest", digest) from error

    def config(self, repository: Repository, descriptor: Descriptor) -> bytes:
        """The bytes of an image's config, which are not put into the store.

        Raises: as `find`; StoreError too.
        """
        digest = descriptor.digest
        if self._store.has(digest, descriptor.size):
            return self._store.read(digest, CONFIG_LIMIT)
        try:
            return read_blob(self._open_source(), repository, descriptor)
        except IntegrityError as error:
            raise verification_failed(error, _CONFIG, digest) from error

    def keep(self, descriptor: Descriptor, data: bytes) -> None:
        """Put a config into the store, so that it is not fetched again with the layers.

        Raises:
            StoreError: the disk refused.
        """
        self._store.put(descriptor.digest, data)

    def _knows(self, repository: Repository) -> bool:
        prefix = str(repository)
        return any(name.startswith((f"{prefix}:", f"{prefix}@")) for name in self._names)
