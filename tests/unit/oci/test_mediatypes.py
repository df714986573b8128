"""The four types of manifest, and what is none of them."""

from __future__ import annotations

import pytest

from pinner.oci import mediatypes


def test_M33_every_request_accepts_all_four() -> None:
    accepted = mediatypes.ACCEPT.split(", ")
    assert sorted(accepted) == sorted(mediatypes.INDEXES | mediatypes.MANIFESTS)
    assert "*" not in mediatypes.ACCEPT


@pytest.mark.parametrize(
    ("media_type", "is_index", "is_manifest"),
    [
        (mediatypes.OCI_INDEX, True, False),
        (mediatypes.DOCKER_LIST, True, False),
        (mediatypes.OCI_MANIFEST, False, True),
        (mediatypes.DOCKER_MANIFEST, False, True),
        (mediatypes.OCI_CONFIG, False, False),
        ("application/vnd.docker.distribution.manifest.v1+json", False, False),
        ("", False, False),
    ],
)
def test_kinds(media_type: str, is_index: bool, is_manifest: bool) -> None:  # noqa: FBT001 - expected
    assert mediatypes.is_index(media_type) is is_index
    assert mediatypes.is_manifest(media_type) is is_manifest


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/vnd.oci.image.index.v1+json; charset=utf-8", mediatypes.OCI_INDEX),
        (" Application/vnd.OCI.image.index.v1+JSON ;q=1", mediatypes.OCI_INDEX),
        ("text/html;charset=utf-8", "text/html"),
        ("", ""),
    ],
)
def test_M08_parameters_are_ignored(header: str, media_type: str) -> None:
    assert mediatypes.without_parameters(header) == media_type
