"""No JSON document and no bytes make the parsers fail in any way but their own."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pinner.oci import mediatypes
from pinner.oci.config import MalformedConfig, parse_config
from pinner.oci.digest import Digest
from pinner.oci.manifest import Index, MalformedManifest, Manifest, parse_manifest, select
from pinner.oci.platform import Platform
from pinner.oci.sources import RawManifest
from pinner.oci.strictjson import MalformedJson, loads
from support.strategies import digests, platforms

SIZES = st.integers(0, 2**63 - 1)
KEYS = st.sampled_from(
    [
        *("schemaVersion", "mediaType", "manifests", "layers", "config", "annotations", "digest"),
        *("size", "platform", "os", "architecture", "variant", "os.version", "os.features"),
        *("rootfs", "diff_ids", "Labels", "created", "artifactType"),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([*mediatypes.INDEXES, *mediatypes.MANIFESTS, f"sha256:{'0' * 64}", "linux"]),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
TYPES = st.sampled_from(sorted(mediatypes.INDEXES | mediatypes.MANIFESTS))


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_bytes_are_strict_json_or_malformed(data: bytes) -> None:
    with contextlib.suppress(MalformedJson):
        value = loads(data, 10_000)
        assert value == json.loads(data)


@given(JSON, TYPES)
def test_any_document_is_a_manifest_or_malformed(document: Any, media_type: str) -> None:
    if isinstance(document, dict):
        document["schemaVersion"] = 2
    data = json.dumps(document).encode()
    raw = RawManifest(media_type=media_type, digest=Digest.of(data), data=data)
    with contextlib.suppress(MalformedManifest):
        parsed = parse_manifest(raw)
        assert isinstance(parsed, Index) is mediatypes.is_index(media_type)
        assert isinstance(parsed, Manifest) is mediatypes.is_manifest(media_type)


@given(JSON)
def test_any_document_is_a_config_or_malformed(document: Any) -> None:
    with contextlib.suppress(MalformedConfig):
        parse_config(json.dumps(document).encode())


@given(
    st.dictionaries(digests(), st.tuples(SIZES, platforms()), min_size=1, max_size=8),
)
def test_every_platform_of_an_index_is_selected_by_its_name(
    members: dict[Digest, tuple[int, Platform]],
) -> None:
    document = {
        "schemaVersion": 2,
        "manifests": [
            {
                "mediaType": mediatypes.OCI_MANIFEST,
                "digest": str(digest),
                "size": size,
                "platform": {
                    "os": platform.os,
                    "architecture": platform.architecture,
                    "variant": platform.variant,
                    "os.version": platform.os_version,
                    "os.features": list(platform.os_features),
                },
            }
            for digest, (size, platform) in members.items()
        ],
    }
    data = json.dumps(document).encode()
    index = parse_manifest(
        RawManifest(media_type=mediatypes.OCI_INDEX, digest=Digest.of(data), data=data)
    )
    assert isinstance(index, Index)
    for platform in index.platforms():
        chosen = select(index, Platform.parse(str(platform)))
        assert chosen.platform == platform
        assert chosen not in index.duplicates()
