"""Small blobs, read whole and verified in memory: image configs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.errors import IntegrityError
from pinner.oci.config import CONFIG_LIMIT

if TYPE_CHECKING:
    from pinner.oci.descriptor import Descriptor
    from pinner.oci.reference import Repository
    from pinner.oci.sources import BlobSource


def read_blob(
    source: BlobSource, repository: Repository, descriptor: Descriptor, *, limit: int = CONFIG_LIMIT
) -> bytes:
    """The bytes of a blob, of the size and digest that its descriptor promises.

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
    if not descriptor.digest.matches(data):
        raise IntegrityError(f"{what} has other bytes than its digest names", where=served_by)
    return bytes(data)
