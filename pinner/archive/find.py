"""An image in the store: its manifests, and whether all of their blobs are there.

Nothing is fetched. Of a locked image, the locked digests count, whatever the store's names say now;
of a reference, what the store names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from pinner.archive.model import Image, Member
from pinner.errors import AnswerNo, IntegrityError
from pinner.oci.config import CONFIG_LIMIT, MalformedConfig, parse_config
from pinner.oci.manifest import MANIFEST_LIMIT, Index, Manifest, expand, parse_manifest
from pinner.oci.platform import Platform
from pinner.oci.reference import Reference
from pinner.oci.stored import stored_manifest
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pinner.lockfile import LockedImage
    from pinner.oci.config import ImageConfig
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.sources import RawManifest

_USUAL: Final = Platform("linux", "amd64")


class Lacking(AnswerNo):
    """The store does not have all of an image; `what` says it in the user's words.

    Attributes:
        asked: what the user calls the image; foreign text.
    """

    def __init__(
        self, asked: str, platform: Platform | None = None, *, partly: bool = False
    ) -> None:
        of = f" for {platform}" if platform else ""
        completely = "completely " if partly else ""
        super().__init__(f"{safe(asked)} is not {completely}in the store{of}")
        self.asked = asked


class Blobs(Protocol):
    """What is asked of a store."""

    def has(self, digest: Digest, size: int | None = None) -> bool:
        """Whether the blob is here, of this size where one is given."""
        ...

    def read(self, digest: Digest, limit: int) -> bytes:
        """The verified bytes of a blob."""
        ...


def find_locked(
    store: Blobs, image: LockedImage, manifests: Sequence[tuple[Platform, Digest]]
) -> Image:
    """A locked image for some of its platforms, which are at least one.

    Raises:
        Lacking: a manifest, config or layer is not in the store.
        IntegrityError: lockfile, index and manifests contradict one another, or are corrupt.
    """
    members = []
    for platform, digest in manifests:
        if not store.has(digest):
            raise Lacking(image.name, platform)
        raw, parsed = _read(store, digest)
        if isinstance(parsed, Index):
            raise IntegrityError(
                f"{image.name}: {digest} is locked for {platform} but is an index, not an image",
                where="images.lock",
            )
        members.append(_require(store, image.name, _member(store, raw, parsed, platform)))
    return Image(
        asked=image.name,
        name=str(Reference(image.repository, image.tag, None if image.tag else image.digest)),
        members=tuple(members),
        index=_locked_index(store, image, members),
    )


def find_named(
    store: Blobs, asked: str, name: str, root: Digest, platforms: Sequence[Platform] = ()
) -> Image:
    """What the store has of an image that it names.

    Args:
        store: the store.
        asked: what the user calls the image.
        name: what index.json calls it.
        root: the digest of what it names there.
        platforms: those to take, in this order; none for every one that is complete.

    Raises:
        Lacking: one of the platforms is not completely in the store; or none at all is.
        IntegrityError: a manifest or config is not what it should be.
    """
    if not store.has(root):
        raise Lacking(asked)
    raw, parsed = _read(store, root)
    if isinstance(parsed, Index):
        index = raw, parsed
        found = _members(store, asked, parsed)
    else:
        index = None
        found = [_member(store, raw, parsed, None)]
    image = Image(asked=asked, name=name, members=(), index=index)
    if not platforms:
        complete = [member for member in found if _has_all(store, member)]
        if not complete:
            raise Lacking(asked)
        return replace(
            image, members=tuple(sorted(complete, key=lambda member: usual_first(member.platform)))
        )
    taken: dict[Digest, Member] = {}
    for platform in platforms:
        matching = [
            member for member in found if member.platform and platform.matches(member.platform)
        ]
        if not matching:
            raise Lacking(asked, platform)
        for member in matching:
            taken[member.raw.digest] = _require(store, asked, member)
    return replace(image, members=tuple(taken.values()))


def find_index(store: Blobs, root: Digest) -> Index | None:
    """The index that has this digest; None where it is none, or not here.

    Raises:
        IntegrityError: it is not what it should be.
    """
    if not store.has(root):
        return None
    parsed = _read(store, root)[1]
    return parsed if isinstance(parsed, Index) else None


def usual_first(platform: Platform | None) -> tuple[bool, str]:
    """Sorts the platforms of an image where nobody said which is to come first."""
    return platform != _USUAL, str(platform or "")


def _locked_index(
    store: Blobs, image: LockedImage, members: Sequence[Member]
) -> tuple[RawManifest, Index] | None:
    """The tag's index; None where the tag is a lone manifest, or the index was never here."""
    if any(member.raw.digest == image.digest for member in members) or not store.has(image.digest):
        return None
    raw, parsed = _read(store, image.digest)
    if not isinstance(parsed, Index):
        raise _contradiction(image, members[0])
    listed = {entry.digest for entry in _expanded(store, image.name, parsed).manifests}
    for member in members:
        if member.raw.digest not in listed:
            raise _contradiction(image, member)
    return raw, parsed


def _contradiction(image: LockedImage, member: Member) -> IntegrityError:
    return IntegrityError(
        f"{image.name}: {image.digest} is no index that has {member.raw.digest}",
        where="images.lock",
        mend="the lockfile was edited or merged wrongly: take the entry out and run `pinner lock`",
    )


def _members(store: Blobs, asked: str, index: Index) -> list[Member]:
    """The images of an index whose manifests are here, each digest once."""
    found: dict[Digest, Member] = {}
    for entry in _expanded(store, asked, index).images():
        if not store.has(entry.digest, entry.size):
            continue
        raw, parsed = _read(store, entry.digest)
        if isinstance(parsed, Manifest):
            found.setdefault(entry.digest, _member(store, raw, parsed, entry.platform))
    return list(found.values())


def _expanded(store: Blobs, asked: str, index: Index) -> Index:
    def fetch(nested: Descriptor) -> RawManifest:
        if not store.has(nested.digest):
            raise Lacking(asked)
        return _read(store, nested.digest)[0]

    return expand(index, fetch)


def _member(
    store: Blobs, raw: RawManifest, manifest: Manifest, platform: Platform | None
) -> Member:
    config = _config(store, manifest.config)
    return Member(
        platform=platform or (config.platform if config else None),
        raw=raw,
        manifest=manifest,
        loads=config is not None and len(config.diff_ids) == len(manifest.layers),
    )


def _config(store: Blobs, descriptor: Descriptor) -> ImageConfig | None:
    if descriptor.size > CONFIG_LIMIT or not store.has(descriptor.digest, descriptor.size):
        return None
    try:
        return parse_config(store.read(descriptor.digest, CONFIG_LIMIT))
    except MalformedConfig:
        return None  # an artifact's


def _require(store: Blobs, asked: str, member: Member) -> Member:
    if not _has_all(store, member):
        raise Lacking(asked, member.platform, partly=True)
    return member


def _has_all(store: Blobs, member: Member) -> bool:
    return all(store.has(blob.digest, blob.size) for blob in member.manifest.blobs())


def _read(store: Blobs, digest: Digest) -> tuple[RawManifest, Manifest | Index]:
    raw = stored_manifest(digest, store.read(digest, MANIFEST_LIMIT))
    return raw, parse_manifest(raw)
