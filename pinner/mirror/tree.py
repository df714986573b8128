"""All manifests of an image, from the store where it has them, else by digest from the source.

Registries refuse an index whose members they do not have, so an index means all of its members:
every platform, locked or not, and the attestations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pinner.errors import IntegrityError, NotFound
from pinner.oci.descriptor import Descriptor
from pinner.oci.manifest import MANIFEST_LIMIT, MEMBER_LIMIT, Index, parse_manifest
from pinner.oci.reference import Reference
from pinner.oci.stored import stored_manifest
from pinner.store.names import member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pinner.mirror.look import Wish
    from pinner.oci.digest import Digest
    from pinner.oci.manifest import Manifest
    from pinner.oci.sources import ManifestSource, RawManifest
    from pinner.store.layout import Store

_SINGLE: Final = "single platforms may be there still: --platform linux/amd64"
_DEPTH: Final = 3  # an index, an index in it, a manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTree:
    """Everything that an image consists of.

    Attributes:
        wish: the image, and where it goes.
        manifests: each once, members before the index that names them.
        blobs: configs and layers of all of them, each digest once.
        names: what the store shall call it, as `sync` does, once all its blobs are there.
    """

    wish: Wish
    manifests: tuple[RawManifest, ...]
    blobs: tuple[Descriptor, ...]
    names: Mapping[str, Descriptor]

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.wish.name

    @property
    def size(self) -> int:
        """Bytes of all its blobs."""
        return sum(blob.size for blob in self.blobs)


class TreeGatherer:
    """Brings the manifests of images into a store; safe for threads."""

    def __init__(
        self,
        store: Store,
        open_source: Callable[[], ManifestSource],
        hold: Callable[[Iterable[Digest]], None],
    ) -> None:
        """Gather into `store`; `hold` keeps what is looked for from being pruned."""
        self._store = store
        self._open_source = open_source
        self._hold = hold

    def gather(self, wish: Wish, *, tag_only: bool = False) -> ImageTree:
        """What the image consists of; its manifests are in the store afterwards.

        With `tag_only` that is the one manifest that a tag is to name, of an image that is there.

        Raises:
            IntegrityError: a manifest cannot be trusted, or two contradict one another.
            RegistryError: a manifest could not be fetched.
        """
        if tag_only:
            raw = self._fetch(wish, wish.image.digest)
            return ImageTree(wish=wish, manifests=(raw,), blobs=(), names={})
        found: dict[Digest, tuple[RawManifest, Manifest | Index]] = {}
        for digest in wish.digests:
            self._walk(wish, digest, found, depth=1)
        blobs: dict[Digest, Descriptor] = {}
        for _, parsed in found.values():
            for blob in () if isinstance(parsed, Index) else parsed.blobs():
                if blobs.setdefault(blob.digest, blob).size != blob.size:
                    raise IntegrityError(f"{wish.name}: {blob.digest} has two sizes")
        return ImageTree(
            wish=wish,
            manifests=tuple(raw for raw, _ in found.values()),
            blobs=tuple(blobs.values()),
            names=_names(wish, found),
        )

    def _walk(
        self,
        wish: Wish,
        digest: Digest,
        found: dict[Digest, tuple[RawManifest, Manifest | Index]],
        *,
        depth: int,
    ) -> None:
        if digest in found:
            return
        raw = self._fetch(wish, digest)
        parsed = parse_manifest(raw)
        if isinstance(parsed, Index):
            if depth == _DEPTH:
                raise IntegrityError(f"{wish.name}: indexes nest too deep at {digest}")
            for below in parsed.manifests:
                self._walk(wish, below.digest, found, depth=depth + 1)
        if len(found) > MEMBER_LIMIT:
            raise IntegrityError(f"{wish.name} has more than {MEMBER_LIMIT} manifests")
        found[digest] = raw, parsed

    def _fetch(self, wish: Wish, digest: Digest) -> RawManifest:
        self._hold([digest])
        if self._store.has(digest):
            return stored_manifest(digest, self._store.read(digest, MANIFEST_LIMIT))
        try:
            raw = self._open_source().manifest(wish.source, digest)
        except NotFound as error:
            single = digest in wish.image.platforms.values() and digest in wish.digests
            raise NotFound(
                f"{wish.name} ({wish.source}@{digest}) is gone from the registry",
                where=error.where,
                mend=error.mend if single else (*error.mend, _SINGLE),
            ) from error
        parse_manifest(raw)
        self._store.put(digest, raw.data)
        return raw


def _names(
    wish: Wish, found: Mapping[Digest, tuple[RawManifest, Manifest | Index]]
) -> dict[str, Descriptor]:
    image = wish.image
    has_index = image.digest in found
    named: dict[str, Descriptor] = {}
    for digest in image.platforms.values():
        if digest in found and digest != image.digest:
            descriptor = _descriptor(found[digest][0])
            named[str(Reference(image.repository, digest=digest))] = (
                member(descriptor, image.digest) if has_index else descriptor
            )
    if has_index:
        reference = Reference(
            image.repository, image.tag, None if image.tag is not None else image.digest
        )
        named[str(reference)] = _descriptor(found[image.digest][0])
    return named


def _descriptor(raw: RawManifest) -> Descriptor:
    return Descriptor(media_type=raw.media_type, digest=raw.digest, size=len(raw.data))
