"""Manifests that come from a store, which keeps bytes and no Content-Type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pinner.oci import mediatypes, strictjson
from pinner.oci.fields import Field
from pinner.oci.manifest import MANIFEST_LIMIT
from pinner.oci.sources import RawManifest

if TYPE_CHECKING:
    from pinner.oci.digest import Digest

# An OCI document may leave its mediaType out (image-spec manifest.md); docker's never do.
_UNNAMED: Final = {"manifests": mediatypes.OCI_INDEX, "layers": mediatypes.OCI_MANIFEST}


def stored_manifest(digest: Digest, data: bytes) -> RawManifest:
    """The manifest whose verified bytes the store holds, of the media type that they say.

    Raises:
        MalformedJson: not the JSON document of a manifest.
    """
    document = Field(strictjson.loads(data, MANIFEST_LIMIT))
    implied = next((kind for key, kind in _UNNAMED.items() if document.has(key)), "")
    media_type = document["mediaType"].text(default=implied)
    return RawManifest(media_type=media_type, digest=digest, data=data)
