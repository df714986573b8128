"""Fields say what is wrong and where; a descriptor is read as its fields would be one by one."""

from __future__ import annotations

from typing import Any

import pytest

from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.fields import Field
from pinner.oci.strictjson import MalformedJson

DIGEST = "sha256:" + "0" * 64
WHOLE = {"mediaType": "t", "digest": DIGEST, "size": 1}


def test_a_descriptor_with_everything() -> None:
    found = Field({**WHOLE, "annotations": {"a": "b"}, "artifactType": "x"}).descriptor()
    assert found == Descriptor(
        media_type="t",
        digest=Digest.parse(DIGEST),
        size=1,
        annotations={"a": "b"},
        artifact_type="x",
    )


@pytest.mark.parametrize("key", ["annotations", "artifactType"])
def test_what_may_be_left_out_may_be_null(key: str) -> None:
    assert Field({**WHOLE, key: None}).descriptor() == Field(WHOLE).descriptor()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("mediaType", None, "manifests[1].mediaType is missing"),
        ("mediaType", 1, "manifests[1].mediaType is not text"),
        ("digest", None, "manifests[1].digest is missing"),
        ("digest", [], "manifests[1].digest is not text"),
        ("digest", "sha256:0", "manifests[1].digest is not a digest"),
        ("size", None, "manifests[1].size is None, which is not a size"),
        ("size", True, "manifests[1].size is True"),
        ("size", -1, "manifests[1].size is -1"),
        ("size", 2**63, f"manifests[1].size is {2**63}"),
        ("size", "1", "manifests[1].size is '1'"),
        ("annotations", [], "manifests[1].annotations is not an object"),
        ("annotations", "", "manifests[1].annotations is not an object"),
        ("annotations", {"a.b": 1}, "manifests[1].annotations.a.b is not text"),
        ("artifactType", 0, "manifests[1].artifactType is not text"),
        ("artifactType", False, "manifests[1].artifactType is not text"),
    ],
)
def test_a_descriptor_that_is_wrong_says_where(key: str, value: Any, says: str) -> None:
    document = Field({"manifests": [WHOLE, {**WHOLE, key: value}]})
    first, second = document["manifests"].items(limit=2)
    assert first.descriptor().size == 1
    with pytest.raises(MalformedJson) as caught:
        second.descriptor()
    assert says in caught.value.what


@pytest.mark.parametrize("value", [None, 1, "x", []])
def test_a_descriptor_is_an_object(value: Any) -> None:
    with pytest.raises(MalformedJson):
        Field({"config": value})["config"].descriptor()
    with pytest.raises(MalformedJson, match="the document is not an object"):
        Field(value).descriptor()
