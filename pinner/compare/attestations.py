"""Where an index keeps the list of packages that BuildKit attests of an image.

BuildKit, docs/attestations/attestation-storage.md: beside the images stands, for the platform
`unknown/unknown`, a manifest whose annotations name the image's digest; each of its layers is an
in-toto statement, of the predicate type that the layer's annotation says. Statements are unsigned:
the publisher's claim, bound to the image by the index alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.inventory.spdx import PREDICATE, SIZE_LIMIT
from pinner.oci import mediatypes
from pinner.oci.manifest import ATTESTATION, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pinner.oci.descriptor import Descriptor
    from pinner.oci.digest import Digest
    from pinner.oci.manifest import Index

STATEMENT_LIMIT: Final = SIZE_LIMIT
"""Bytes of one statement; larger ones are not fetched."""
_KIND: Final = "attestation-manifest"
_SUBJECT: Final = "vnd.docker.reference.digest"
_PREDICATE: Final = "in-toto.io/predicate-type"

_STATEMENT: Final = "application/vnd.in-toto+json"


def find_statement(
    index: Index, image: Digest, read: Callable[[Digest], object]
) -> Descriptor | None:
    """The SPDX statement about an image of the index; None where there is none at hand.

    Args:
        index: what the tag named.
        image: the digest of the image's manifest.
        read: gives the manifest of a digest, or None where it is not at hand.

    Raises:
        RegistryError: the attestation's manifest was not delivered.
        IntegrityError: it is not what it should be.
    """
    for member in index.manifests:
        told = member.annotations
        if told.get(ATTESTATION) != _KIND or told.get(_SUBJECT) != str(image):
            continue
        if not mediatypes.is_manifest(member.media_type):
            continue
        manifest = read(member.digest)
        if not isinstance(manifest, Manifest):
            continue
        for layer in manifest.layers:
            if layer.media_type == _STATEMENT and layer.annotations.get(_PREDICATE) == PREDICATE:
                return layer if layer.size <= STATEMENT_LIMIT else None
    return None
