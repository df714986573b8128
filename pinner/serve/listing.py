"""What a store's index.json names, by repository; read again only when the file is another one.

index.json -> Listing(repositories -> tags), held until the file's identity changes
"""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from pinner.oci.reference import InvalidReference, Reference
from pinner.store import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.reference import Repository
    from pinner.store.layout import Store
    from pinner.store.names import NamedDescriptor

_Identity: TypeAlias = tuple[int, ...]
_GUARDED: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Named:
    """What the names of one repository point to, by tag and in all."""

    tags: Mapping[str, Descriptor]
    media_types: Mapping[Digest, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """All that one index.json names.

    Attributes:
        repositories: those of the names that are references with a tag or a digest.
        roots: every entry's digest, nameless ones among them.
    """

    repositories: Mapping[Repository, Named]
    roots: tuple[Digest, ...]


class Listings:
    """The listing of a store, as it is now; may be asked from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = store.root / names.INDEX_FILE
        self._lock = threading.Lock()
        self._held: tuple[_Identity, Listing] | None = None
        self._pin: weakref.finalize[[int], Listings] | None = None

    def current(self) -> Listing:
        """What index.json names now.

        Raises:
            StoreError: it is damaged or unreadable.
        """
        held = self._held
        if held is not None and held[0] == self._identity():
            return held[1]
        with self._lock:
            held = self._held
            if held is not None and held[0] == self._identity():
                return held[1]
            return self._load()

    def _load(self) -> Listing:
        # Known before the file is read: if it is replaced meanwhile, the next look finds out.
        identity = self._pinned_identity()
        listing = list_entries(names.roots(self._store.index()))
        self._held = None if identity is None else (identity, listing)
        return listing

    def _pinned_identity(self) -> _Identity | None:
        """The file's identity, which no later file can have: it stays open, its inode in use."""
        if self._pin is not None:
            self._pin()
            self._pin = None
        try:
            fd = os.open(self._path, _GUARDED)
        except OSError:
            return None  # the store knows what that means
        self._pin = weakref.finalize(self, os.close, fd)
        return _identity_of(os.fstat(fd))

    def _identity(self) -> _Identity | None:
        try:
            return _identity_of(self._path.stat(follow_symlinks=False))
        except OSError:
            return None


def list_entries(entries: Iterable[NamedDescriptor]) -> Listing:
    """The entries of index.json by repository; of several with one name, the last counts."""
    tags: dict[Repository, dict[str, Descriptor]] = {}
    media_types: dict[Repository, dict[Digest, str]] = {}
    roots: dict[Digest, None] = {}
    for entry in entries:
        descriptor = entry.descriptor
        roots[descriptor.digest] = None
        reference = _reference(entry.name)
        if reference is None:
            continue
        repository = reference.repository
        tagged = tags.setdefault(repository, {})
        if reference.tag is not None:
            tagged[reference.tag] = descriptor
        media_types.setdefault(repository, {})[descriptor.digest] = descriptor.media_type
    repositories = {key: Named(tagged, media_types[key]) for key, tagged in tags.items()}
    return Listing(repositories, tuple(roots))


def _reference(name: str) -> Reference | None:
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return None
    # Another tool's name, such as a lone tag, would read as a repository of docker.io.
    return reference if reference.tag or reference.digest else None


def _identity_of(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
