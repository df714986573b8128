"""Small blobs, read whole and verified in memory: image configs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pinner.errors import IntegrityError
from pinner.oci.config import CONFIG_LIMIT

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.reference import Repository
    from pinner.oci.sources import BlobSource


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedBlob:
    """The bytes of a blob, and the registry's own time for it (`RawManifest.last_modified`)."""

    data: bytes
    last_modified: float | None


def read_blob(
    source: BlobSource, repository: Repository, descriptor: Descriptor, *, limit: int = CONFIG_LIMIT
) -> bytes:
    """The bytes of a blob, of the size and digest that its descriptor promises.

    Raises: as `read_dated_blob`.
    """
    return read_dated_blob(source, repository, descriptor, limit=limit).data


def read_dated_blob(
    source: BlobSource, repository: Repository, descriptor: Descriptor, *, limit: int = CONFIG_LIMIT
) -> DatedBlob:
    """The bytes of a blob, of the size and digest that its descriptor promises, and their time.

    Raises:
        IntegrityError: larger than `limit`, or other bytes than the digest names.
        RegistryError: the registry did not deliver it.
    """
    what = f"blob {descriptor.digest} of {repository.familiar()}"
    if descriptor.size > limit:
        raise IntegrityError(f"{what} has {descriptor.size} bytes, more than {limit}")
    data = bytearray()
    with source.open_blob(repository, descriptor) as stream:
        for chunk in stream.chunks():
            data += chunk
        served_by = stream.source
        last_modified = stream.last_modified
    if not descriptor.digest.matches(data):
        raise IntegrityError(f"{what} has other bytes than its digest names", where=served_by)
    return DatedBlob(data=bytes(data), last_modified=last_modified)
