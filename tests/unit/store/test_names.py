from __future__ import annotations

import json
from typing import Any

import pytest

from pinner.oci import mediatypes
from pinner.oci.descriptor import Descriptor
from pinner.oci.digest import Digest
from pinner.oci.platform import Platform
from pinner.oci.strictjson import MalformedJson
from pinner.store import names
from pinner.store.names import CONTAINERD_NAME, REF_NAME, NamedDescriptor

A = Descriptor(media_type=mediatypes.OCI_INDEX, digest=Digest.of(b"a"), size=1)
B = Descriptor(media_type=mediatypes.OCI_MANIFEST, digest=Digest.of(b"b"), size=1)
DEBIAN = "docker.io/library/debian:bookworm"

SKOPEO: dict[str, Any] = {
    "mediaType": mediatypes.OCI_MANIFEST,
    "digest": str(Digest.of(b"skopeo")),
    "size": 6,
    "annotations": {REF_NAME: "latest", "vendor": "kept"},
    "x-unknown": [1, {"deep": None}],
}


def document(*manifests: Any, **more: Any) -> dict[str, Any]:
    return {"schemaVersion": 2, **more, "manifests": list(manifests)}


def entry(name: str, descriptor: Descriptor) -> NamedDescriptor:
    return NamedDescriptor(name=name, descriptor=descriptor)


def test_an_entry_is_named_for_both_worlds() -> None:
    (made,) = names.merged(document(), [entry(DEBIAN, A)])["manifests"]
    assert made == {
        "mediaType": mediatypes.OCI_INDEX,
        "digest": str(A.digest),
        "size": 1,
        "annotations": {REF_NAME: DEBIAN, CONTAINERD_NAME: DEBIAN},
    }


def test_what_the_descriptor_says_besides_is_written_too() -> None:
    descriptor = Descriptor(
        media_type=mediatypes.OCI_MANIFEST,
        digest=A.digest,
        size=1,
        platform=Platform("linux", "arm", "v7"),
        annotations={"key": "value", REF_NAME: "an index's own idea"},
        artifact_type="application/x",
    )
    (made,) = names.merged(document(), [entry(DEBIAN, descriptor)])["manifests"]
    assert made["platform"] == {"architecture": "arm", "os": "linux", "variant": "v7"}
    assert made["artifactType"] == "application/x"
    assert made["annotations"] == {"key": "value", REF_NAME: DEBIAN, CONTAINERD_NAME: DEBIAN}
    (read,) = names.named(document(made))
    assert read.name == DEBIAN
    assert read.descriptor.platform == descriptor.platform


def test_other_tools_entries_and_keys_stay_as_they_are() -> None:
    nameless = {key: value for key, value in SKOPEO.items() if key != "annotations"}
    broken = {"digest": "sha256:short"}
    before = document(nameless, SKOPEO, broken, "no object", annotations={"a": "b"}, extra=[])
    after = names.merged(before, [entry(DEBIAN, A)])
    assert after["manifests"][:-1] == before["manifests"]
    assert {key: after[key] for key in after if key != "manifests"} == {
        key: before[key] for key in before if key != "manifests"
    }
    assert list(after) == list(before)


def test_a_name_is_moved_in_its_place() -> None:
    before = names.merged(document(), [entry("a:1", A), entry("b:1", A)])
    after = names.merged(before, [entry("a:1", B), entry("c:1", B)])
    assert [(image.name, image.descriptor.digest) for image in names.named(after)] == [
        ("a:1", B.digest),
        ("b:1", A.digest),
        ("c:1", B.digest),
    ]


def test_a_name_that_is_there_twice_is_there_once_afterwards() -> None:
    twin = {**SKOPEO, "digest": str(A.digest)}
    after = names.merged(document(SKOPEO, twin), [entry("latest", B)])
    assert [image.descriptor.digest for image in names.named(after)] == [B.digest]


def test_merging_what_is_there_changes_nothing() -> None:
    entries = [entry("a:1", A), entry("b:1", B)]
    once = names.merged(document(SKOPEO), entries)
    assert names.merged(once, entries) == once
    assert names.dumps(names.loads(names.dumps(once))) == names.dumps(once)


def test_a_name_for_containerd_alone_is_a_name() -> None:
    imported = {**SKOPEO, "annotations": {CONTAINERD_NAME: DEBIAN}}
    assert [image.name for image in names.named(document(imported))] == [DEBIAN]


def test_T38_a_foreign_name_is_only_text() -> None:
    hostile = {**SKOPEO, "annotations": {REF_NAME: "../../etc/\x1b[31mpasswd"}}
    read = names.loads(names.dumps(document(hostile)))
    assert [image.name for image in names.named(read)] == ["../../etc/\x1b[31mpasswd"]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        pytest.param("text", "manifests[0] is not an object", id="no object"),
        pytest.param({**SKOPEO, "digest": "sha256:../../x"}, "manifests[0].digest", id="M10"),
        pytest.param({**SKOPEO, "size": -1}, "is not a size", id="negative size"),
        pytest.param({**SKOPEO, "annotations": {REF_NAME: 1}}, "is not text", id="name"),
        pytest.param({"size": 1}, "mediaType is missing", id="no media type"),
    ],
)
def test_a_malformed_entry_is_told_of_and_hides_no_other(broken: Any, words: str) -> None:
    whole = document(broken, SKOPEO)
    (what,) = names.malformed(whole)
    assert words in what
    assert [image.name for image in names.named(whole)] == ["latest"]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="T15-empty"),
        pytest.param(names.EMPTY_INDEX[:-5], id="T15-half"),
        pytest.param(b"\0" * 100, id="T15-zeros"),
        pytest.param(b"[]", id="T15-list"),
        pytest.param(b"{}", id="T15-no version"),
        pytest.param(b'{"schemaVersion": 2}', id="T15-no manifests"),
        pytest.param(b'{"schemaVersion": 2, "manifests": {}}', id="T15-manifests no list"),
        pytest.param(b'{"schemaVersion": 3, "manifests": []}', id="T15-other version"),
        pytest.param(b'{"schemaVersion": true, "manifests": []}', id="T15-version no number"),
        pytest.param(b'\xef\xbb\xbf{"schemaVersion": 2, "manifests": []}', id="T15-BOM"),
    ],
)
def test_a_damaged_document_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedJson):
        names.loads(data)


def test_T15_a_document_cut_at_any_byte_is_refused() -> None:
    whole = names.dumps(names.merged(document(SKOPEO), [entry(DEBIAN, A)]))
    for length in range(len(whole) - 2):  # the last line feed may be missing
        with pytest.raises(MalformedJson):
            names.loads(whole[:length])


def test_the_text_is_ascii() -> None:
    text = names.dumps(document({**SKOPEO, "annotations": {"é": "\u202e"}}))
    assert text.isascii()
    assert json.loads(text)["manifests"][0]["annotations"] == {"é": "\u202e"}
