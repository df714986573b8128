"""Manifests and indexes: what an image consists of, and which image is for which platform.

image-spec manifest.md and image-index.md, and docker's schema 2 of both. One document is one of the
two, never both (CVE-2021-41190), of the media type that it was served with, and refers to content
by checked digests and sizes only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pinner.errors import InputError, IntegrityError
from pinner.oci import mediatypes, strictjson, windows
from pinner.oci.fields import Field
from pinner.oci.strictjson import MalformedJson
from pinner.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.platform import Platform
    from pinner.oci.sources import RawManifest

MANIFEST_LIMIT: Final = 4 * 1024 * 1024
MEMBER_LIMIT: Final = 512
LAYER_LIMIT: Final = 1024
_SCHEMA: Final = 2
_OF_INDEX: Final = ("manifests",)
_OF_MANIFEST: Final = ("config", "layers")
_OF_SCHEMA1: Final = ("fsLayers", "history")
ATTESTATION: Final = "vnd.docker.reference.type"
UNKNOWN: Final = "unknown"


class MalformedManifest(IntegrityError):  # noqa: N818 - a kind of document
    """A document that is not a manifest or index that can be trusted."""

    code = "malformed-manifest"


class NoSuchPlatform(InputError):  # noqa: N818 - the answer to a wish
    """An index has no image for a wanted platform; the message lists what there is."""

    code = "no-such-platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One image: its config and its layers, the lowest first; a layer may be there twice."""

    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]

    def blobs(self) -> tuple[Descriptor, ...]:
        """The config and the layers, each digest once."""
        blobs = {blob.digest: blob for blob in (self.config, *self.layers)}
        return tuple(blobs.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Several manifests under one digest.

    Attributes:
        manifests: all members in their order, attestations and nested indexes among them.
    """

    media_type: str
    manifests: tuple[Descriptor, ...]
    annotations: Mapping[str, str]

    def images(self) -> tuple[Descriptor, ...]:
        """The members that are images for a known platform; attestations are none."""
        return tuple(
            member
            for member in self.manifests
            if member.platform is not None
            and mediatypes.is_manifest(member.media_type)
            and ATTESTATION not in member.annotations
        )

    def platforms(self) -> tuple[Platform, ...]:
        """The platforms of the images, each once, in the order of the index."""
        return tuple(dict.fromkeys(image.platform for image in self.images() if image.platform))

    def duplicates(self) -> tuple[Descriptor, ...]:
        """The images that `select` never takes, since an earlier one is for the same platform."""
        first: dict[Platform | None, Descriptor] = {}
        return tuple(
            image
            for image in self.images()
            if first.setdefault(image.platform, image).digest != image.digest
        )


def parse_manifest(raw: RawManifest) -> Manifest | Index:
    """The manifest or index that was served, whose bytes the caller has checked by digest.

    Raises:
        MalformedManifest: not of one of the four media types, not of the type that its
            `Content-Type` says, ambiguous, over a limit, or not as the specification has it.
    """
    try:
        _check_type(raw.media_type)
        document = Field(strictjson.loads(raw.data, MANIFEST_LIMIT))
        return _read(document, raw.media_type)
    except (MalformedJson, MalformedManifest) as error:
        raise _of(raw.digest, error) from error


def read_manifest(document: Field, media_type: str, digest: Digest) -> Manifest | Index:
    """As `parse_manifest`, of JSON that was read already."""
    try:
        _check_type(media_type)
        return _read(document, media_type)
    except (MalformedJson, MalformedManifest) as error:
        raise _of(digest, error) from error


def select(index: Index, wanted: Platform) -> Descriptor:
    """The image of an index for a platform, matched strictly.

    Where several match, one that is for exactly `wanted` is taken, then the newest `os.version`,
    then the one that uses most of the wanted features, then the first, as engines do.

    Raises:
        NoSuchPlatform: none matches.
    """
    offers = [
        (image, image.platform)
        for image in index.images()
        if image.platform is not None and wanted.matches(image.platform)
    ]
    if not offers:
        raise NoSuchPlatform(f"there is no image for {wanted}", mend=_offer(index))
    return max(offers, key=lambda offer: _fitness(offer[1], wanted))[0]


def expand(index: Index, fetch: Callable[[Descriptor], RawManifest]) -> Index:
    """An index whose members are all manifests: nested indexes give way to their members.

    Args:
        index: as it was parsed.
        fetch: gets a nested index by its digest.

    Raises:
        MalformedManifest: an index within a nested index, or over a limit.
    """
    members: list[Descriptor] = []
    for member in index.manifests:
        if not mediatypes.is_index(member.media_type):
            members.append(member)
            continue
        nested = parse_manifest(fetch(member))
        if not isinstance(nested, Index):
            raise MalformedManifest(f"{member.digest} was said to be an index and is none")
        if any(mediatypes.is_index(inner.media_type) for inner in nested.manifests):
            raise MalformedManifest(f"the nested index {member.digest} has an index in it")
        members.extend(nested.manifests)
    if len(members) > MEMBER_LIMIT:
        raise MalformedManifest(f"nested indexes have more than {MEMBER_LIMIT} manifests")
    return replace(index, manifests=tuple(members))


def _fitness(offered: Platform, wanted: Platform) -> tuple[bool, tuple[int, ...], int]:
    return offered == wanted, windows.newness(offered.os_version), len(offered.os_features)


def _offer(index: Index) -> str:
    offered = ", ".join(map(str, index.platforms()))
    return f"there are images for {offered}" if offered else "it has no image for any platform"


def _of(digest: Digest, error: MalformedJson | MalformedManifest) -> MalformedManifest:
    return MalformedManifest(f"manifest {digest}: {error.what}", mend=error.mend)


def _read(document: Field, media_type: str) -> Manifest | Index:
    _check_form(document, media_type)
    if mediatypes.is_index(media_type):
        return _index(document, media_type)
    return _manifest(document, media_type)


def _check_type(media_type: str) -> None:
    if mediatypes.is_index(media_type) or mediatypes.is_manifest(media_type):
        return
    if mediatypes.is_schema1(media_type):
        raise MalformedManifest(
            "docker image manifest version 2, schema 1 support has been removed",
            mend="ask its author to upgrade the image to the OCI format, or to schema 2",
        )
    raise MalformedManifest(
        f'"{safe(media_type, limit=160)}" is not the media type of a manifest or index',
        mend="a proxy or login page may have answered" if media_type == "text/html" else (),
    )


def _check_form(document: Field, media_type: str) -> None:
    """The document is of the kind and version that its media type says, and of no other kind."""
    stated = document.text_at("mediaType", default=media_type)
    if stated != media_type:
        raise document["mediaType"].wrong(
            f'is "{safe(stated, limit=160)}" but it was served as {media_type}'
        )
    version = document["schemaVersion"].value
    if type(version) is not int or version != _SCHEMA:
        raise document["schemaVersion"].wrong(f"is not {_SCHEMA}")
    own, others = (
        (_OF_INDEX, _OF_MANIFEST) if mediatypes.is_index(media_type) else (_OF_MANIFEST, _OF_INDEX)
    )
    for key in (*others, *_OF_SCHEMA1):
        if document.has(key):
            raise document[key].wrong(f"does not belong into a document of type {media_type}")
    for key in own:
        if not document.has(key):
            raise document[key].wrong("is missing")


def _index(document: Field, media_type: str) -> Index:
    members = tuple(
        member.descriptor(_platform(member["platform"]))
        for member in document["manifests"].items(limit=MEMBER_LIMIT)
    )
    _check_sizes(members)
    return Index(
        media_type=media_type, manifests=members, annotations=document["annotations"].texts()
    )


def _manifest(document: Field, media_type: str) -> Manifest:
    config = document["config"].descriptor()
    layers = tuple(layer.descriptor() for layer in document["layers"].items(limit=LAYER_LIMIT))
    _check_sizes((config, *layers))
    return Manifest(
        media_type=media_type,
        config=config,
        layers=layers,
        annotations=document["annotations"].texts(),
    )


def _platform(field: Field) -> Platform | None:
    """The platform of an index's member; None where it is left out, empty or unknown."""
    names = {field.text_at("os", default=""), field.text_at("architecture", default="")}
    return None if names & {"", UNKNOWN} else field.platform()


def _check_sizes(descriptors: Iterable[Descriptor]) -> None:
    """Content of one digest has one size: where two are given, one of them is a lie."""
    sizes: dict[Digest, int] = {}
    for descriptor in descriptors:
        size = sizes.setdefault(descriptor.digest, descriptor.size)
        if size != descriptor.size:
            raise MalformedManifest(
                f"{descriptor.digest} has two sizes, {size} and {descriptor.size}"
            )
