"""One entry at a time: from a wish to the reference, its manifest, and the pin that they make."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pinner.errors import InputError, IntegrityError, NotFound
from pinner.freshness import Kind
from pinner.lockfile import LockedImage
from pinner.oci.config import parse_config
from pinner.oci.fetch import read_blob, read_dated_blob
from pinner.oci.manifest import (
    Index,
    MalformedManifest,
    NoSuchPlatform,
    expand,
    parse_manifest,
    select,
)
from pinner.oci.reference import Reference
from pinner.oci.sources import BlobSource, ManifestSource, Resolver, TagLister
from pinner.tagpolicy import choose_tag

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.oci.digest import Digest
    from pinner.oci.fetch import DatedBlob
    from pinner.oci.platform import Platform
    from pinner.oci.reference import Repository
    from pinner.oci.sources import RawManifest
    from pinner.spec import SpecEntry

_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class LockSource(Resolver, TagLister, ManifestSource, BlobSource, Protocol):
    """What resolving asks of a registry."""


class EntryResolver:
    """Resolves the entries of one run; what several entries share is asked for once.

    Attributes:
        resolve, head, tags: the source's own, each answer of which is kept.
    """

    def __init__(self, source: LockSource) -> None:
        self._source = source
        self.resolve: Callable[[Reference], RawManifest] = _Once(source.resolve)
        self.head: Callable[[Reference], Digest | None] = _Once(source.head)
        self.tags: Callable[[Repository], tuple[str, ...]] = _Once(source.tags)

    def lock(self, entry: SpecEntry, pin: LockedImage | None, kinds: set[Kind]) -> LockedImage:
        """The pin that an entry gets whose present one, if any, does not satisfy it.

        Args:
            entry: what is wished for.
            pin: what is locked for it.
            kinds: in which respects that is stale.

        Raises:
            PinnerError: it cannot be locked.
        """
        reference = self._reference(entry)
        if pin is not None and kinds == {Kind.PLATFORMS}:
            # Only the platforms changed: the pin (tag and digest) still holds and must not move.
            reference = Reference(repository=pin.repository, tag=pin.tag, digest=pin.digest)
        try:
            raw = self.resolve(reference)
        except NotFound as error:
            raise _not_found(reference, error) from error
        return self.image(entry, reference, raw)

    def image(self, entry: SpecEntry, reference: Reference, raw: RawManifest) -> LockedImage:
        """The pin that a manifest makes, with the platforms that the entry wishes for.

        Args:
            entry: what is wished for.
            reference: what the manifest was asked for as; its tag gets into the pin.
            raw: a manifest or an index.

        Raises:
            IntegrityError: it is not one that can be trusted.
            InputError: it has not the platforms that are wished for.
            RegistryError: a nested index or a config was not delivered.
        """
        try:
            platforms = self._platforms(entry, reference, raw)
        except (IntegrityError, NoSuchPlatform) as error:
            error.where = error.where or f"{entry.name} ({reference})"
            raise
        return LockedImage(
            name=entry.name,
            repository=reference.repository,
            tag=reference.tag,
            digest=raw.digest,
            platforms=platforms,
            all_platforms=entry.platforms is None,
        )

    def config(self, repository: Repository, digest: Digest) -> DatedBlob:
        """The config of the image with this manifest, and the registry's own time for it.

        Raises:
            IntegrityError: a manifest or config that cannot be trusted, or an index.
            RegistryError: it was not delivered.
        """
        raw = self._source.manifest(repository, digest)
        manifest = parse_manifest(raw)
        if isinstance(manifest, Index):
            raise MalformedManifest(f"{digest} is an index, not an image")
        return read_dated_blob(self._source, repository, manifest.config)

    def _reference(self, entry: SpecEntry) -> Reference:
        tag = entry.tag
        if tag is None and entry.wish is not None:
            tags = self.tags(entry.repository)
            tag = choose_tag(tags, entry.wish)
            if tag is None:
                raise InputError(
                    f"none of the {len(tags)} tags of {entry.repository.familiar()} "
                    f"satisfies {entry.wish}",
                    mend="widen version or variant in images.toml",
                )
        return Reference(repository=entry.repository, tag=tag, digest=entry.digest)

    def _platforms(
        self, entry: SpecEntry, reference: Reference, raw: RawManifest
    ) -> dict[Platform, Digest]:
        parsed = parse_manifest(raw)
        if isinstance(parsed, Index):
            index = expand(
                parsed, lambda member: self._source.manifest(reference.repository, member.digest)
            )
            wanted = entry.platforms or index.platforms()
            if not wanted:
                raise InputError(
                    f"{reference.familiar()} is an index without images",
                    mend="it may be an artifact, which pinner does not lock",
                )
            return {platform: select(index, platform).digest for platform in wanted}
        config = read_blob(self._source, reference.repository, parsed.config)
        offered = parse_config(config).platform
        for platform in entry.platforms or ():
            if not platform.matches(offered):
                raise InputError(
                    f"{reference.familiar()} is one image for {offered}, not for {platform}",
                    mend=f'write platforms = ["{offered}"], or name another image',
                )
        return dict.fromkeys(entry.platforms or (offered,), raw.digest)


def _not_found(reference: Reference, error: NotFound) -> NotFound:
    if reference.digest is None:
        return error
    return NotFound(
        f"{reference.familiar()} is gone from the registry",
        where=error.where,
        mend="its pin cannot be kept: take its table out of images.lock and run `pinner lock`",
    )


class _Once(Generic[_Key, _Answer]):
    """A function whose answer for each argument is computed once, also by concurrent callers."""

    def __init__(self, function: Callable[[_Key], _Answer]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._answers: dict[_Key, _Answer] = {}
        self._under_way: dict[_Key, threading.Lock] = {}

    def __call__(self, key: _Key) -> _Answer:
        with self._lock:
            turn = self._under_way.setdefault(key, threading.Lock())
        with turn:
            if key not in self._answers:
                self._answers[key] = self._function(key)
            return self._answers[key]
