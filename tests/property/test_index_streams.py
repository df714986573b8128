"""index.json read entry by entry gives what the whole document gives, or says that it cannot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.oci.strictjson import MalformedJson
from pinner.store import names
from pinner.store.entries import Irregular, stream_roots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pinner.store.names import NamedDescriptor

texts = st.text(st.characters(codec="utf-8"), max_size=12)
DIGEST = "sha256:" + "0123456789abcdef" * 4
digests = st.sampled_from(
    [DIGEST, DIGEST, "sha512:" + "0f" * 64, DIGEST.upper(), "sha256:12", "md5:" + "0" * 32]
)
plain_names = st.sampled_from(
    ["docker.io/library/debian:1", f"x/y@{DIGEST}", "a", "a", 'b"', "ä\n"]
)
ours = st.builds(
    lambda digest, size, name, other, index: {
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": digest,
        "size": size,
        "annotations": {
            **({names.MEMBER_OF: index} if index else {}),
            names.REF_NAME: name,
            names.CONTAINERD_NAME: other or name,
        },
    },
    digests,
    st.integers(0, 10**6) | st.integers(2**62, 2**64),
    plain_names,
    st.sampled_from([None, None, "other", "ö"]),
    st.none() | digests,
)
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | texts | st.just(1.5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
foreign = st.dictionaries(
    st.sampled_from(
        ["mediaType", "digest", "size", "platform", "annotations", "artifactType", "x"]
    ),
    anything,
    max_size=6,
)
documents = st.builds(
    lambda head, entries, tail: {**head, "manifests": entries, **tail},
    st.sampled_from(
        [{"schemaVersion": 2}, {"schemaVersion": 2, "mediaType": "t"}, {"schemaVersion": 1}, {}]
    ),
    st.lists(ours | foreign | anything, max_size=5),
    st.sampled_from([{}, {}, {"annotations": {}}]),
)
written = st.builds(
    lambda document, indent, ascii_only: json.dumps(
        document, indent=indent, ensure_ascii=ascii_only
    ).encode(),
    documents,
    st.sampled_from([2, 2, None, 1]),
    st.booleans(),
)
edits = st.lists(
    st.tuples(
        st.integers(0, 2000),
        st.integers(0, 3),
        st.sampled_from([b"", b'"', b"\\", b"{", b"}", b"]", b",", b"\n", b"\xff", b"1", b"\x00"]),
    ),
    max_size=3,
)


def edited(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, put in changes:
        data = data[:at] + put + data[at + removed :]
    return data


def in_pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[at : at + length] for at in range(0, len(data), length))


def streamed(data: bytes, length: int) -> list[NamedDescriptor] | None:
    try:
        return list(stream_roots(in_pieces(data, length)))
    except Irregular:
        return None


@given(written, edits, st.sampled_from([1, 7, 500, 100_000]))
def test_what_is_streamed_is_what_the_document_says(
    data: bytes, changes: list[tuple[int, int, bytes]], length: int
) -> None:
    data = edited(data, changes)
    found = streamed(data, length)
    if found is not None:
        assert found == list(names.roots(names.loads(data)))


@given(st.lists(ours, max_size=5), st.sampled_from([1, 7, 500, 100_000]))
def test_what_pinner_wrote_is_always_streamed(entries: list[dict[str, Any]], length: int) -> None:
    data = names.dumps({"schemaVersion": 2, "mediaType": "t", "manifests": entries})
    assert streamed(data, length) == list(names.roots(names.loads(data)))


@pytest.mark.parametrize("length", [1, 4096])
def test_an_entry_larger_than_the_window_is_read(length: int) -> None:
    entry = {"mediaType": "t", "digest": DIGEST, "size": 1, "annotations": {"x": "y" * 50_000}}
    data = names.dumps({"schemaVersion": 2, "manifests": [entry, entry]})
    assert streamed(data, length) == list(names.roots(names.loads(data)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"schemaVersion":2,"manifests":[{"a":1,"a":2}]}', id="key-twice"),
        pytest.param(b'{"schemaVersion":2,"manifests":[{"size":1.0}]}', id="fraction"),
        pytest.param(b'{"schemaVersion":2,"manifests":[{}]}x', id="trailing-text"),
        pytest.param(
            b'{"schemaVersion":2,"manifests":[{}]}' + b" " * 20_000 + b"x", id="text-behind-space"
        ),
        pytest.param(b'{"schemaVersion":2,"manifests":[{}', id="cut"),
        pytest.param(b'{"schemaVersion":2,"manifests":[{},]}', id="trailing-comma"),
        pytest.param(b'{"schemaVersion":2,"manifests":[{"a":"\xff"}]}', id="not-utf-8"),
        pytest.param(b'\xef\xbb\xbf{"schemaVersion":2,"manifests":[{}]}', id="byte-order-mark"),
        pytest.param(b'{"schemaVersion":2,"manifests":[' + b'{"a":' * 99_999, id="too-deep"),
    ],
)
def test_a_damaged_document_is_left_to_who_can_tell(data: bytes) -> None:
    assert streamed(data, 64) is None
    with pytest.raises(MalformedJson):
        names.loads(data)
