"""Manifests that come from a store, which keeps bytes and no Content-Type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.oci import mediatypes, strictjson
from pinner.oci.fields import Field
from pinner.oci.manifest import MANIFEST_LIMIT, read_manifest
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from pinner.oci.digest import Digest
    from pinner.oci.manifest import Index, Manifest

# An OCI document may leave its mediaType out (image-spec manifest.md); docker's never do.
_UNNAMED: Final = {"manifests": mediatypes.OCI_INDEX, "layers": mediatypes.OCI_MANIFEST}


def stored_manifest(digest: Digest, data: bytes) -> RawManifest:
    """The manifest whose verified bytes the store holds, of the media type that they say.

    Raises:
        MalformedJson: not the JSON document of a manifest.
    """
    return RawManifest(media_type=_media_type(_document(data)), digest=digest, data=data)


def parse_stored(digest: Digest, data: bytes) -> Manifest | Index:
    """What `parse_manifest` makes of a `stored_manifest`; its JSON is read once.

    Raises:
        MalformedJson: not the JSON document of a manifest.
        MalformedManifest: as `parse_manifest` says.
    """
    document = _document(data)
    return read_manifest(document, _media_type(document), digest)


def _document(data: bytes) -> Field:
    return Field(strictjson.loads(data, MANIFEST_LIMIT))


def _media_type(document: Field) -> str:
    implied = next((kind for key, kind in _UNNAMED.items() if document.has(key)), "")
    return document.text_at("mediaType", default=implied)
