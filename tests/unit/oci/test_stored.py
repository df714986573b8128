"""Manifests of a store are of the type that they say, or that their form implies."""

from __future__ import annotations

import pytest

from pinner.oci import mediatypes
from pinner.oci.digest import Digest
from pinner.oci.stored import stored_manifest
from pinner.oci.strictjson import MalformedJson


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b'{"mediaType":"application/x","manifests":[]}', "application/x"),
        (b'{"manifests":[]}', mediatypes.OCI_INDEX),
        (b'{"config":{},"layers":[]}', mediatypes.OCI_MANIFEST),
        (b'{"mediaType":null,"layers":[]}', mediatypes.OCI_MANIFEST),
        (b"{}", ""),
    ],
)
def test_media_type(data: bytes, media_type: str) -> None:
    digest = Digest.of(data)
    raw = stored_manifest(digest, data)
    assert (raw.media_type, raw.digest, raw.data) == (media_type, digest, data)


@pytest.mark.parametrize("data", [b"", b"5", b"[]", b'{"mediaType":5}', b"\0" * 10])
def test_what_is_no_manifest(data: bytes) -> None:
    with pytest.raises(MalformedJson):
        stored_manifest(Digest.of(data), data)
