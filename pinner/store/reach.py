"""What a root in the store consists of, as far as it is there, and what of it is not.

    root -> index -> members that are here -> config and layers, all of which must be here

An index may lack members, all but one: a sparse index is legal (image-spec image-layout.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pinner.errors import PinnerError
from pinner.oci import mediatypes
from pinner.oci.manifest import Index, parse_manifest
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Why a root is not complete: `what` says it for the blob `digest`, in the user's words.

    Attributes:
        is_malformed: the blob is here, and is not what its descriptor says; else it is missing.
    """

    digest: Digest
    what: str
    is_malformed: bool = False


@dataclass(slots=True, kw_only=True)
class Reach:
    """What was found from one root on.

    Attributes:
        needed: every blob that the root needs, here or not, and each member of an index that is
            here, in the order of the walk, with what points to it.
        lacks: empty where the root is complete.
    """

    needed: dict[Digest, Descriptor] = field(default_factory=dict)
    lacks: list[Lack] = field(default_factory=list)


def reach(
    root: Descriptor, size_of: Callable[[Digest], int | None], read: Callable[[Digest], bytes]
) -> Reach:
    """Follow a root through the blobs that are here.

    Args:
        root: an entry of `index.json`.
        size_of: the bytes of a blob's file; None where it is not here.
        read: the verified bytes of one of them; a `PinnerError` where they are corrupt, which is
            no lack of the root's but a fault of the blob's own.
    """
    found = Reach()
    _visit(root, size_of, read, found)
    return found


def _visit(
    descriptor: Descriptor,
    size_of: Callable[[Digest], int | None],
    read: Callable[[Digest], bytes],
    found: Reach,
) -> None:
    if descriptor.digest in found.needed:
        return
    found.needed[descriptor.digest] = descriptor
    if not _is_here(descriptor, size_of, found):
        return
    if not (
        mediatypes.is_index(descriptor.media_type) or mediatypes.is_manifest(descriptor.media_type)
    ):
        return
    try:
        data = read(descriptor.digest)
    except PinnerError:
        return
    raw = RawManifest(media_type=descriptor.media_type, digest=descriptor.digest, data=data)
    try:
        manifest = parse_manifest(raw)
    except PinnerError as error:
        found.lacks.append(Lack(digest=descriptor.digest, what=error.what, is_malformed=True))
        return
    if isinstance(manifest, Index):
        here = [member for member in manifest.manifests if size_of(member.digest) is not None]
        if manifest.manifests and not here:
            what = f"none of the {len(manifest.manifests)} manifests of {descriptor.digest} is here"
            found.lacks.append(Lack(digest=descriptor.digest, what=what))
        for member in here:
            _visit(member, size_of, read, found)
    else:
        for blob in manifest.blobs():
            found.needed[blob.digest] = blob
            _is_here(blob, size_of, found)


def _is_here(descriptor: Descriptor, size_of: Callable[[Digest], int | None], found: Reach) -> bool:
    size = size_of(descriptor.digest)
    if size is None:
        what = f"blob {descriptor.digest} is missing"
        found.lacks.append(Lack(digest=descriptor.digest, what=what))
    elif size != descriptor.size:
        what = f"blob {descriptor.digest} has {size} bytes, its descriptor says {descriptor.size}"
        found.lacks.append(Lack(digest=descriptor.digest, what=what, is_malformed=True))
    return size == descriptor.size
